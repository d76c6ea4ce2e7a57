package dev.cloister.coordinator.fleet;

import java.util.List;
import java.util.Optional;

/**
 * What an agent says its machine has. A claim: routing relies on what it measures.
 *
 * @param flashAttention whether engines there do attention piece by piece unless told otherwise
 */
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
    boolean flashAttention) {

  public Capability {
    links = List.copyOf(links);
    gpus = List.copyOf(gpus);
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
   */
  public record NetworkLink(String name, long speedBitsPerSecond, boolean wireless) {}

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
