package dev.cloister.coordinator.placement;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The best layer ranges for nodes that stand in an order, by dynamic programming: nodes may be left
 * out, but not change places.
 */
final class LayerRanges {
  /** What is made small. */
  enum Aim {
    /** The work of the stage with the most of it, which many requests at once wait for. */
    SLOWEST,
    /** All stages together, which one answer alone waits for. */
    SUM
  }

  private final Demand demand;
  private final Network network;
  private final Aim aim;
  private final int[] boundaries;

  LayerRanges(Demand demand, Network network, Aim aim) {
    this.demand = demand;
    this.network = network;
    this.aim = aim;
    this.boundaries = demand.boundaries();
  }

  /** Layers from {@code first} to before {@code end} on a node. */
  record Range(Offer node, int first, int end) {}

  /** Ranges so far, the last one first. */
  private record Chain(Range range, double cost, double sum, @Nullable Chain before) {
    boolean isBetterThan(@Nullable Chain other) {
      return other == null || cost < other.cost || (cost == other.cost && sum < other.sum);
    }

    List<Range> ranges() {
      Deque<Range> ranges = new ArrayDeque<>();
      for (@Nullable Chain at = this; at != null; at = at.before) {
        ranges.addFirst(at.range);
      }
      return List.copyOf(ranges);
    }
  }

  /**
   * For each number of stages from 2 to {@code most} the best ranges that cover all layers; numbers
   * for which there are none are missing.
   */
  List<List<Range>> over(List<Offer> nodes, int most) {
    int last = boundaries.length - 1;
    @Nullable Chain[][] best = new Chain[most + 1][boundaries.length];
    for (Offer node : nodes) {
      // From many stages to few, so that no node is in a chain twice.
      for (int stages = most; stages >= 1; stages--) {
        for (int from = stages - 1; from < last; from++) {
          @Nullable Chain before = best[stages - 1][from];
          if ((stages == 1) == (from == 0) && (from == 0 || before != null)) {
            extend(node, before, from, best[stages]);
          }
        }
      }
    }
    List<List<Range>> found = new ArrayList<>();
    for (int stages = 2; stages <= most; stages++) {
      @Nullable Chain chain = best[stages][last];
      if (chain != null) {
        found.add(chain.ranges());
      }
    }
    return found;
  }

  private void extend(Offer node, @Nullable Chain before, int from, @Nullable Chain[] best) {
    double hop =
        before == null
            ? 0
            : network
                .between(before.range().node().nodeId(), node.nodeId())
                .seconds(demand.hopBytes());
    for (int to = from + 1; to < boundaries.length; to++) {
      int first = boundaries[from];
      int end = boundaries[to];
      if (!node.holds(demand.memory(first, end))) {
        // Nor does a longer one.
        return;
      }
      if (!demand.runsOn(node.library(), first, end)) {
        continue;
      }
      double seconds = Prediction.tokenSeconds(demand, node, first, end);
      double sum = (before == null ? 0 : before.sum()) + seconds + hop;
      double cost =
          switch (aim) {
            case SLOWEST ->
                Math.max(
                    before == null ? 0 : before.cost(),
                    Prediction.busySeconds(demand, node, first, end));
            case SUM -> sum;
          };
      Chain chain = new Chain(new Range(node, first, end), cost, sum, before);
      if (chain.isBetterThan(best[to])) {
        best[to] = chain;
      }
    }
  }
}
