package dev.cloister.coordinator.inference;

/**
 * Takes the events of one generation, in order and never two at once. Implementations return
 * quickly: they are called on the thread that reads the node's stream.
 */
@FunctionalInterface
public interface GenerationSink {
  void accept(GenerationEvent event);

  /**
   * Is told, now and then, what the generation waits for before it starts.
   *
   * @param what for people, in a few words: {@code loading model m on desk}
   */
  default void waits(String what) {}

  /**
   * Forgets what it was given, if nobody has seen it yet.
   *
   * @return whether the answer may be given once more from its start, by another node
   */
  default boolean startOver() {
    return false;
  }
}
