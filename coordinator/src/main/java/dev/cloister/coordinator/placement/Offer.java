package dev.cloister.coordinator.placement;

import dev.cloister.coordinator.fleet.Capability;
import dev.cloister.coordinator.fleet.Capability.Gpu;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * What a node has for models.
 *
 * @param ramBytes free main memory
 * @param ramBytesPerSecond how fast weights there are read while an answer is made
 * @param gpuBytes free memory of its GPUs, 0 without one or where that is the main memory
 * @param gpuBytesPerSecond likewise; 0 without one
 * @param flashAttention whether its engines do attention piece by piece unless told otherwise
 * @param library the native library of its engines; empty if unknown
 */
public record Offer(
    String nodeId,
    String nodeName,
    long ramBytes,
    double ramBytesPerSecond,
    long gpuBytes,
    double gpuBytesPerSecond,
    boolean flashAttention,
    String library) {

  /** What a core reads of the memory at least. */
  private static final double BYTES_PER_SECOND_AND_CORE = 6e9;

  /** Two channels of slow memory: more cores do not read faster. */
  private static final double MOST_OF_MAIN_MEMORY = 30e9;

  private static final double UNIFIED_MEMORY = 80e9;
  private static final double GPU_MEMORY = 250e9;

  public Offer {
    if (ramBytes < 0 || gpuBytes < 0 || ramBytesPerSecond <= 0) {
      throw new IllegalArgumentException(
          "%d bytes at %f/s, GPU %d bytes (expected: >= 0, > 0, >= 0)"
              .formatted(ramBytes, ramBytesPerSecond, gpuBytes));
    }
  }

  /**
   * Copied memory is read and written; weights are read only, and computed with. Between what was
   * measured for Q8_0 and, which computes more for each byte, for Q4_0 ({@code bench split}).
   */
  private static final double READ_OF_COPIED = 0.54;

  /** One whose engines write the matrix of attention to memory, with an unknown library. */
  public Offer(
      String nodeId,
      String nodeName,
      long ramBytes,
      double ramBytesPerSecond,
      long gpuBytes,
      double gpuBytesPerSecond) {
    this(nodeId, nodeName, ramBytes, ramBytesPerSecond, gpuBytes, gpuBytesPerSecond, false, "");
  }

  /**
   * What a machine offers by what it has, cautiously where nothing was measured.
   *
   * @param copiedBytesPerSecond how fast its main memory was copied, if that was measured
   */
  public static Offer of(
      String nodeId, String nodeName, Capability capability, OptionalDouble copiedBytesPerSecond) {
    boolean unified = capability.gpus().stream().anyMatch(Gpu::unifiedMemory);
    long gpuBytes =
        capability.gpus().stream()
            .filter(gpu -> capability.engines().usesGpu() && !gpu.unifiedMemory())
            .mapToLong(Gpu::memoryFreeBytes)
            .sum();
    double ram =
        copiedBytesPerSecond.isPresent()
            ? READ_OF_COPIED * copiedBytesPerSecond.getAsDouble()
            : Math.min(
                MOST_OF_MAIN_MEMORY,
                BYTES_PER_SECOND_AND_CORE * Math.max(1, capability.cpu().physicalCores()));
    return new Offer(
        nodeId,
        nodeName,
        Math.max(0, capability.memoryAvailableBytes()),
        unified ? UNIFIED_MEMORY : ram,
        Math.max(0, gpuBytes),
        gpuBytes > 0 ? GPU_MEMORY : 0,
        capability.engines().flashAttention(),
        capability.engines().library());
  }

  /** What a stage takes on this machine's engines. */
  public StageMemory here(StageMemory need) {
    return flashAttention ? need.withFlashAttention() : need;
  }

  /** Whether this much can be loaded here. */
  public boolean holds(StageMemory need) {
    return onGpu(need) || here(need).totalBytes() <= ramBytes;
  }

  /** The GPU takes all of it but the process, or nothing. */
  private boolean onGpu(StageMemory need) {
    return need.mayBeOnGpu()
        && gpuBytes > 0
        && here(need).deviceBytes() <= gpuBytes
        && need.processBytes() <= ramBytes;
  }

  /** How fast its weights would be read; only for what it {@link #holds}. */
  double bytesPerSecond(StageMemory need) {
    return onGpu(need) ? gpuBytesPerSecond : ramBytesPerSecond;
  }

  /** What of it would be in main memory. */
  public long mainMemoryBytes(StageMemory need) {
    return onGpu(need) ? need.processBytes() : here(need).totalBytes();
  }

  /**
   * How many of its layers an engine is to have on the GPU, -1 for all of them; empty where there
   * is nothing to choose between.
   */
  public OptionalInt gpuLayers(StageMemory need) {
    return gpuBytesPerSecond > 0 ? OptionalInt.of(onGpu(need) ? -1 : 0) : OptionalInt.empty();
  }

  boolean computesOnGpu(StageMemory need) {
    return onGpu(need);
  }

  /** Free memory for one model, wherever it is. */
  long freeBytes() {
    return Math.max(ramBytes, gpuBytes);
  }

  /** What is left once this was loaded, where it fits. */
  public Offer without(StageMemory used) {
    return onGpu(used)
        ? with(ramBytes - used.processBytes(), gpuBytes - here(used).deviceBytes())
        : with(Math.max(0, ramBytes - here(used).totalBytes()), gpuBytes);
  }

  /** The same with another native library. */
  Offer withLibrary(String other) {
    return new Offer(
        nodeId,
        nodeName,
        ramBytes,
        ramBytesPerSecond,
        gpuBytes,
        gpuBytesPerSecond,
        flashAttention,
        other);
  }

  private Offer with(long ram, long gpu) {
    return new Offer(
        nodeId, nodeName, ram, ramBytesPerSecond, gpu, gpuBytesPerSecond, flashAttention, library);
  }
}
