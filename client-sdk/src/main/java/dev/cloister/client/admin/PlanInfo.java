package dev.cloister.client.admin;

import java.util.List;
import java.util.Optional;

/**
 * How a model would be placed now.
 *
 * @param plan empty: nothing fits, and {@code reason} says which memory is missing
 * @param alternatives others that were weighed, best first
 * @param reason why this plan, in one sentence
 */
public record PlanInfo(Optional<Plan> plan, List<Plan> alternatives, String reason) {
  public PlanInfo {
    alternatives = List.copyOf(alternatives);
  }

  /**
   * A way to run the model, and how fast that is predicted to be.
   *
   * @param secondsPerToken of one answer while no other is made
   * @param promptTokensPerSecond of a long prompt
   * @param totalTokensPerSecond of answers in all slots together
   * @param loadSeconds until it could answer, if nothing is there yet
   */
  public record Plan(
      List<Stage> stages,
      double secondsPerToken,
      double promptTokensPerSecond,
      double totalTokensPerSecond,
      double loadSeconds) {
    public Plan {
      stages = List.copyOf(stages);
    }
  }

  /**
   * Layers from {@code firstLayer} to before {@code endLayer} on a node.
   *
   * @param weightBytes of the layers, and of what else an end of the model needs
   * @param kvBytes the state of all tokens of all slots
   * @param computeBytes what is written and forgotten while a batch is computed
   * @param memoryBytes all of them with the process itself and a margin
   * @param freeBytes what the node has for it
   * @param secondsPerToken of computing alone
   * @param hopSeconds to the next stage, or from the last one to the first; 0 for a whole model
   * @param relayed whether its stream to the next stage goes through the coordinator
   * @param hopMeasured whether the way to the next stage was measured, rather than assumed
   */
  public record Stage(
      String nodeId,
      String nodeName,
      int firstLayer,
      int endLayer,
      long weightBytes,
      long kvBytes,
      long computeBytes,
      long memoryBytes,
      long freeBytes,
      double secondsPerToken,
      double hopSeconds,
      boolean relayed,
      boolean hopMeasured) {}
}
