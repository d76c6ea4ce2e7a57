package dev.cloister.coordinator.placement;

/**
 * What an engine takes for a stage.
 *
 * @param weightBytes of its layers, and of what else its end of the model needs
 * @param kvBytes the state of all tokens of all slots
 * @param computeBytes what is written and forgotten while a batch is computed
 * @param processBytes the process itself
 */
public record StageMemory(long weightBytes, long kvBytes, long computeBytes, long processBytes) {
  /** For what allocators round up and predictions do not know. */
  private static final double MARGIN = 0.05;

  /** What a whole model may take of which nothing is known but the length of its file. */
  public static StageMemory ofFile(long sizeBytes) {
    return new StageMemory(sizeBytes, sizeBytes / 7, 0, 256L << 20);
  }

  /** Where the layers are computed, with a margin. */
  long deviceBytes() {
    return (long) ((weightBytes + kvBytes + computeBytes) * (1 + MARGIN));
  }

  /** All of it, with a margin. */
  public long totalBytes() {
    return deviceBytes() + processBytes;
  }
}
