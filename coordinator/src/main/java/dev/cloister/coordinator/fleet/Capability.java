package dev.cloister.coordinator.fleet;

import java.util.List;
import java.util.Optional;

/** What an agent says its machine has. A claim: routing relies on what it measures. */
public record Capability(
    String hostName,
    String operatingSystem,
    String architecture,
    Cpu cpu,
    long memoryTotalBytes,
    long memoryAvailableBytes,
    long diskTotalBytes,
    long diskFreeBytes,
    Optional<Battery> battery,
    List<NetworkLink> links,
    List<Gpu> gpus,
    Engines engines) {

  public Capability {
    links = List.copyOf(links);
    gpus = List.copyOf(gpus);
  }

  /** The same with so much main memory at most. */
  public Capability withMemoryUpTo(long bytes) {
    return new Capability(
        hostName,
        operatingSystem,
        architecture,
        cpu,
        Math.min(memoryTotalBytes, bytes),
        Math.min(memoryAvailableBytes, bytes),
        diskTotalBytes,
        diskFreeBytes,
        battery,
        links,
        gpus,
        engines);
  }

  /**
   * What runs models there.
   *
   * @param library the native library, as engines name it: {@code llama.cpp v0.5.0}; empty if
   *     unknown
   * @param flashAttention whether attention is done piece by piece unless told otherwise
   * @param usesGpu whether the library computes on the machine's GPUs
   */
  public record Engines(String library, boolean flashAttention, boolean usesGpu) {
    /** Nothing is known of them. */
    public static final Engines UNKNOWN = new Engines("", false, false);
  }

  public record Cpu(
      String model, int physicalCores, int logicalCores, List<String> vectorExtensions) {
    public Cpu {
      vectorExtensions = List.copyOf(vectorExtensions);
    }
  }

  /**
   * @param charge 0 to 1
   */
  public record Battery(double charge, boolean onBattery) {}

  /**
   * @param speedBitsPerSecond 0 means unknown
   * @param wake by what the machine is woken over it
   */
  public record NetworkLink(
      String name, long speedBitsPerSecond, boolean wireless, Optional<WakeAddress> wake) {

    /** One that the machine is not woken over. */
    public NetworkLink(String name, long speedBitsPerSecond, boolean wireless) {
      this(name, speedBitsPerSecond, wireless, Optional.empty());
    }
  }

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
      APPLE,
      UNKNOWN
    }
  }
}
