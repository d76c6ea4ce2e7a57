package dev.cloister.bench.simulation;

import java.util.Arrays;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/** The node with the fewest requests; of equal ones, every one in turn. */
public final class LeastConnections implements Policy {
  private int[] active = new int[0];
  private int next;

  @Override
  public void node(int node, NodeKind kind, OptionalDouble loadSeconds, long nanos) {
    if (node >= active.length) {
      active = Arrays.copyOf(active, node + 1);
    }
  }

  @Override
  public OptionalInt place(Request request, boolean othersWait, long nanos) {
    int least = next;
    for (int i = 1; i < active.length; i++) {
      int node = (next + i) % active.length;
      if (active[node] < active[least]) {
        least = node;
      }
    }
    next = (least + 1) % active.length;
    active[least]++;
    return OptionalInt.of(least);
  }

  @Override
  public void ended(Request request, int node, long nanos) {
    active[node]--;
  }
}
