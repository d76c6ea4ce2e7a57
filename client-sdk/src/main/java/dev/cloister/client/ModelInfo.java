package dev.cloister.client;

import java.time.Instant;
import java.util.List;

/**
 * A model the cluster serves.
 *
 * @param sha256 of its file
 */
public record ModelInfo(
    String name, String sha256, long sizeBytes, Instant createdAt, List<Replica> replicas) {

  public ModelInfo {
    replicas = List.copyOf(replicas);
  }

  /**
   * The model on a node.
   *
   * @param state {@code fetching}, {@code loading}, {@code ready} or {@code failed}
   * @param error one sentence if it failed, else empty
   */
  public record Replica(String nodeId, String nodeName, String state, String error) {}

  /** Whether some node can answer now. */
  public boolean isReady() {
    return replicas.stream().anyMatch(replica -> replica.state().equals("ready"));
  }
}
