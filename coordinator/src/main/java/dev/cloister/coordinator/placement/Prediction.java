package dev.cloister.coordinator.placement;

import dev.cloister.coordinator.placement.LayerRanges.Range;
import dev.cloister.coordinator.placement.Network.Link;
import dev.cloister.coordinator.placement.PipelinePlan.PlannedStage;
import java.util.ArrayList;
import java.util.List;

/**
 * How fast a plan would be.
 *
 * <p>A token of one answer reads all weights once, so that the memory's bandwidth is its limit.
 * Tokens that are computed together share that, until computing is the limit. With {@code n} stages
 * a token makes {@code n} hops, for the last stage answers the first.
 */
final class Prediction {
  /** A call of the library, and a frame on its way through a process. */
  private static final double SECONDS_PER_STEP = 0.001;

  /** Tokens computed together in the time that one alone takes, on processors and on GPUs. */
  private static final double TOKENS_FOR_ONE_ON_CPU = 4;

  private static final double TOKENS_FOR_ONE_ON_GPU = 30;

  private static final double SECONDS_TO_START = 2;
  private static final double DISK_BYTES_PER_SECOND = 1e9;

  private Prediction() {}

  /** Computing a token of one answer on a node that holds these layers. */
  static double tokenSeconds(Demand demand, Offer node, int first, int end) {
    return stepSeconds(demand, node, first, end, 1);
  }

  /** What a token keeps a node busy for, where every other one is of a prompt. */
  static double busySeconds(Demand demand, Offer node, int first, int end) {
    double read = demand.weightBytes(first, end) + demand.layerBytes(first, end);
    return SECONDS_PER_STEP + read / 2 / node.bytesPerSecond(demand.memory(first, end));
  }

  /** Computing the next tokens of so many answers. */
  private static double stepSeconds(Demand demand, Offer node, int first, int end, int answers) {
    StageMemory memory = demand.memory(first, end);
    double together = node.computesOnGpu(memory) ? TOKENS_FOR_ONE_ON_GPU : TOKENS_FOR_ONE_ON_CPU;
    double read = demand.weightBytes(first, end) / node.bytesPerSecond(memory);
    return SECONDS_PER_STEP + read * Math.max(1, answers / together);
  }

  private static double promptSecondsPerToken(Demand demand, Range range) {
    StageMemory memory = demand.memory(range.first(), range.end());
    double together =
        range.node().computesOnGpu(memory) ? TOKENS_FOR_ONE_ON_GPU : TOKENS_FOR_ONE_ON_CPU;
    return demand.layerBytes(range.first(), range.end())
        / range.node().bytesPerSecond(memory)
        / together;
  }

  /** The plan that consists of these ranges. */
  static PipelinePlan of(Demand demand, Network network, List<Range> ranges) {
    List<PlannedStage> stages = new ArrayList<>();
    double tokenSeconds = 0;
    double promptLimit = 0;
    long bytes = 0;
    long mostBytes = 0;
    for (int i = 0; i < ranges.size(); i++) {
      Range range = ranges.get(i);
      Link link = link(network, ranges, i);
      double hop = ranges.size() == 1 ? 0 : link.seconds(demand.hopBytes());
      double compute = tokenSeconds(demand, range.node(), range.first(), range.end());
      StageMemory memory = range.node().here(demand.memory(range.first(), range.end()));
      stages.add(
          new PlannedStage(
              range.node().nodeId(),
              range.node().nodeName(),
              range.first(),
              range.end(),
              memory,
              range.node().freeBytes(),
              compute,
              hop,
              ranges.size() > 1 && link.relayed(),
              ranges.size() > 1 && link.measured()));
      tokenSeconds += compute + hop;
      promptLimit = Math.max(promptLimit, promptSecondsPerToken(demand, range));
      if (i < ranges.size() - 1) {
        promptLimit = Math.max(promptLimit, demand.hopBytes() / link.bytesPerSecond());
      }
      bytes += memory.weightBytes();
      mostBytes = Math.max(mostBytes, memory.weightBytes());
    }
    return new PipelinePlan(
        stages,
        tokenSeconds,
        1 / promptLimit,
        totalTokensPerSecond(demand, network, ranges),
        SECONDS_TO_START
            + bytes / network.loadBytesPerSecond()
            + mostBytes / DISK_BYTES_PER_SECOND);
  }

  private static Link link(Network network, List<Range> ranges, int i) {
    return network.between(
        ranges.get(i).node().nodeId(), ranges.get((i + 1) % ranges.size()).node().nodeId());
  }

  /**
   * All slots are in use, their answers in as many steps as there are stages: a step comes round no
   * faster than the whole ring, and no two are at the slowest stage at once.
   */
  private static double totalTokensPerSecond(Demand demand, Network network, List<Range> ranges) {
    int steps = Math.min(ranges.size(), demand.slots());
    int answers = Math.ceilDiv(demand.slots(), steps);
    double round = 0;
    double slowest = 0;
    for (int i = 0; i < ranges.size(); i++) {
      Range range = ranges.get(i);
      double seconds = stepSeconds(demand, range.node(), range.first(), range.end(), answers);
      slowest = Math.max(slowest, seconds);
      round += seconds;
      if (ranges.size() > 1) {
        round += link(network, ranges, i).seconds(answers * demand.hopBytes());
      }
    }
    return demand.slots() / Math.max(round, steps * slowest);
  }
}
