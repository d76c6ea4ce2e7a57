package dev.cloister.coordinator.placement;

/**
 * What an engine takes for a stage once all its slots are full. Measured against real processes by
 * {@code MemoryPredictionTest}.
 *
 * @param weightBytes of its layers, and of what else its end of the model needs
 * @param kvBytes the state of all tokens of all slots
 * @param computeBytes what is written and forgotten while a batch is computed
 * @param attentionBytes likewise, of attention where the engine writes its matrix to memory
 * @param shelfBytes of ended sequences beside that state, where it is in main memory
 * @param processBytes the process itself
 * @param mayBeOnGpu whether its layers may be on a GPU
 */
public record StageMemory(
    long weightBytes,
    long kvBytes,
    long computeBytes,
    long attentionBytes,
    long shelfBytes,
    long processBytes,
    boolean mayBeOnGpu) {
  /** For what allocators round up and predictions do not know. */
  private static final double MARGIN = 0.05;

  /** What a whole model may take of which nothing is known but the length of its file. */
  public static StageMemory ofFile(long sizeBytes) {
    return new StageMemory(sizeBytes, sizeBytes / 7, 0, 0, 0, 256L << 20, true);
  }

  /** The same on an engine that does attention piece by piece. */
  StageMemory withFlashAttention() {
    return new StageMemory(
        weightBytes, kvBytes, computeBytes, 0, shelfBytes, processBytes, mayBeOnGpu);
  }

  /** Where the layers are computed, with a margin. */
  long deviceBytes() {
    return (long) ((weightBytes + kvBytes + computeBytes + attentionBytes) * (1 + MARGIN));
  }

  /** All of it in main memory, with a margin. */
  public long totalBytes() {
    return deviceBytes() + shelfBytes + processBytes;
  }
}
