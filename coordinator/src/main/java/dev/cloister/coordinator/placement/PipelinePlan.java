package dev.cloister.coordinator.placement;

import java.util.List;

/**
 * A way to run a model: its stages in order, and how fast that is predicted to be.
 *
 * @param secondsPerToken of one answer while no other is made
 * @param promptTokensPerSecond of a long prompt
 * @param totalTokensPerSecond of answers in all slots together
 * @param loadSeconds until it could answer, if nothing is there yet
 */
public record PipelinePlan(
    List<PlannedStage> stages,
    double secondsPerToken,
    double promptTokensPerSecond,
    double totalTokensPerSecond,
    double loadSeconds) {

  public PipelinePlan {
    stages = List.copyOf(stages);
    if (stages.isEmpty()) {
      throw new IllegalArgumentException("a plan without stages");
    }
  }

  /**
   * Layers from {@code firstLayer} to before {@code endLayer} on a node.
   *
   * @param freeBytes what the node has for it
   * @param secondsPerToken of computing alone
   * @param hopSeconds to the next stage, or from the last one to the first; 0 for a whole model
   * @param relayed whether it goes through the coordinator
   * @param measured whether the way was measured, rather than assumed
   */
  public record PlannedStage(
      String nodeId,
      String nodeName,
      int firstLayer,
      int endLayer,
      StageMemory memory,
      long freeBytes,
      double secondsPerToken,
      double hopSeconds,
      boolean relayed,
      boolean measured) {}

  /** Whether one node holds all of it. */
  public boolean isWhole() {
    return stages.size() == 1;
  }
}
