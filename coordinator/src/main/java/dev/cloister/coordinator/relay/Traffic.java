package dev.cloister.coordinator.relay;

/**
 * What went through the coordinator from one stage of a plan to the next.
 *
 * @param streams that were joined so far
 * @param bytes of all of them
 */
public record Traffic(long streams, long bytes) {
  /** Nothing. */
  public static final Traffic NONE = new Traffic(0, 0);
}
