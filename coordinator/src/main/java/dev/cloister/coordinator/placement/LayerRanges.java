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
    // By where they end, and by how many stages they have.
    @Nullable Chain[][] best = new Chain[boundaries.length][most + 1];
    for (Offer node : nodes) {
      // From the end to the beginning, so that no node is in a chain twice.
      for (int from = last - 1; from >= 0; from--) {
        extend(node, from, best);
      }
    }
    List<List<Range>> found = new ArrayList<>();
    for (int stages = 2; stages <= most; stages++) {
      @Nullable Chain chain = best[last][stages];
      if (chain != null) {
        found.add(chain.ranges());
      }
    }
    return found;
  }

  private void extend(Offer node, int from, @Nullable Chain[][] best) {
    @Nullable Chain[] before = best[from];
    double[] hops = hops(node, before);
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
      Range range = new Range(node, first, end);
      double seconds = Prediction.tokenSeconds(demand, node, first, end);
      double busy = Prediction.busySeconds(demand, node, first, end);
      if (from == 0) {
        put(new Chain(range, aim == Aim.SLOWEST ? busy : seconds, seconds, null), best[to], 1);
        continue;
      }
      for (int stages = 1; stages < before.length - 1; stages++) {
        @Nullable Chain chain = before[stages];
        if (chain != null) {
          double sum = chain.sum() + seconds + hops[stages];
          double cost = aim == Aim.SLOWEST ? Math.max(chain.cost(), busy) : sum;
          put(new Chain(range, cost, sum, chain), best[to], stages + 1);
        }
      }
    }
  }

  private double[] hops(Offer node, @Nullable Chain[] before) {
    double[] hops = new double[before.length];
    for (int stages = 0; stages < before.length; stages++) {
      @Nullable Chain chain = before[stages];
      if (chain != null) {
        String last = chain.range().node().nodeId();
        hops[stages] = network.between(last, node.nodeId()).seconds(demand.hopBytes());
      }
    }
    return hops;
  }

  private static void put(Chain chain, @Nullable Chain[] best, int stages) {
    if (chain.isBetterThan(best[stages])) {
      best[stages] = chain;
    }
  }
}
