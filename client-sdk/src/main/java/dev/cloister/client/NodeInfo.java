package dev.cloister.client;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * A machine of the cluster.
 *
 * @param lastSeen empty if it was never seen since the coordinator started
 * @param operatingSystem this and what follows is empty or 0 until the node reported
 * @param vectorExtensions lower case, for example {@code avx2}
 * @param cpuUtilization 0 to 1
 */
public record NodeInfo(
    String id,
    String name,
    State state,
    Optional<Instant> lastSeen,
    String agentVersion,
    String operatingSystem,
    String architecture,
    String cpu,
    int cores,
    List<String> vectorExtensions,
    long memoryTotalBytes,
    long memoryAvailableBytes,
    double cpuUtilization,
    List<Gpu> gpus,
    List<String> readyModels) {

  public NodeInfo {
    vectorExtensions = List.copyOf(vectorExtensions);
    gpus = List.copyOf(gpus);
    readyModels = List.copyOf(readyModels);
  }

  /** How the coordinator sees it. */
  public enum State {
    /** Its session is open and it reports. */
    ONLINE,
    /** It said goodbye, or was not seen since the coordinator started. */
    OFFLINE,
    /** Its session broke or it fell silent. */
    LOST
  }

  /** A GPU of the machine. */
  public record Gpu(String model, long memoryTotalBytes, long memoryFreeBytes) {}
}
