package dev.cloister.coordinator.inference;

/**
 * Takes the events of one generation, in order and never two at once. Implementations return
 * quickly: they are called on the thread that reads the node's stream.
 */
@FunctionalInterface
public interface GenerationSink {
  void accept(GenerationEvent event);

  /**
   * Forgets what it was given, if nobody has seen it yet.
   *
   * @return whether the answer may be given once more from its start, by another node
   */
  default boolean startOver() {
    return false;
  }
}
