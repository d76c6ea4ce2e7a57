package dev.cloister.client;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A machine of the cluster.
 *
 * @param lastSeen empty if it was never seen since the coordinator started
 * @param operatingSystem this and what follows is empty or 0 until the node reported
 * @param vectorExtensions lower case, for example {@code avx2}
 * @param memoryBytesPerSecond how fast its main memory was copied, read and written bytes; 0 until
 *     it was measured, some seconds after the agent started
 * @param cpuUtilization 0 to 1
 * @param drain present while it gets no new requests
 * @param labels by name, given by administrators
 * @param activeRequests answers that are under way there
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
    double memoryBytesPerSecond,
    double cpuUtilization,
    List<Gpu> gpus,
    List<String> readyModels,
    List<ModelStage> stages,
    Optional<Drain> drain,
    Map<String, String> labels,
    int activeRequests) {

  public NodeInfo {
    vectorExtensions = List.copyOf(vectorExtensions);
    gpus = List.copyOf(gpus);
    readyModels = List.copyOf(readyModels);
    stages = List.copyOf(stages);
    labels = Map.copyOf(labels);
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

  /**
   * A node gets nothing new.
   *
   * @param reason in a few words; empty where the cause says it all
   * @param deadline when answers that still run are moved
   */
  public record Drain(Cause cause, String reason, Instant deadline) {
    /** Who wants it. */
    public enum Cause {
      ADMINISTRATOR,
      /** The machine's owner, by what is going on there. */
      OWNER,
      /** Its agent is being stopped. */
      STOPPING
    }
  }

  /**
   * Layers of a model that the node is to hold, those from {@code firstLayer} to before {@code
   * endLayer}.
   *
   * @param index of the stage, counted from 0
   * @param count of the pipeline's stages
   * @param state as in {@link ModelInfo.Replica}; empty before the node told
   */
  public record ModelStage(
      String model, int index, int count, int firstLayer, int endLayer, String state) {}

  /** A GPU of the machine. */
  public record Gpu(String model, long memoryTotalBytes, long memoryFreeBytes) {}
}
