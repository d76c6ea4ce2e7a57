package dev.cloister.bench.simulation;

import java.util.OptionalDouble;
import java.util.OptionalInt;

/** Every node in turn. */
public final class RoundRobin implements Policy {
  private int nodes;
  private int next;

  @Override
  public void node(int node, NodeKind kind, OptionalDouble loadSeconds, long nanos) {
    nodes = Math.max(nodes, node + 1);
  }

  @Override
  public OptionalInt place(Request request, boolean othersWait, long nanos) {
    int node = next;
    next = (next + 1) % nodes;
    return OptionalInt.of(node);
  }
}
