package dev.cloister.agent.fingerprint.gpu;

import java.util.Objects;

/**
 * A GPU that a model can run on.
 *
 * @param memoryTotalBytes memory the GPU can use; the machine's where it is unified; 0 if unknown
 * @param memoryFreeBytes 0 if unknown, which is not the same as full: then {@code memoryTotalBytes}
 *     may still be known (AMD on a Mac)
 * @param unifiedMemory whether the GPU shares the machine's memory (Apple silicon, Jetson, GB10)
 * @param driverVersion empty if unknown or not a thing of its own (macOS)
 */
public record Gpu(
    Vendor vendor,
    String model,
    long memoryTotalBytes,
    long memoryFreeBytes,
    boolean unifiedMemory,
    String driverVersion) {

  public enum Vendor {
    NVIDIA,
    AMD,
    APPLE
  }

  public Gpu {
    Objects.requireNonNull(vendor, "vendor");
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(driverVersion, "driverVersion");
    if (memoryTotalBytes < 0) {
      throw new IllegalArgumentException(
          "memoryTotalBytes: " + memoryTotalBytes + " (expected: >= 0)");
    }
    if (memoryFreeBytes < 0 || memoryFreeBytes > memoryTotalBytes) {
      throw new IllegalArgumentException(
          "memoryFreeBytes: " + memoryFreeBytes + " (expected: 0 to " + memoryTotalBytes + ")");
    }
  }
}
