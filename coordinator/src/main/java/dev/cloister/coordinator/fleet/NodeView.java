package dev.cloister.coordinator.fleet;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** A node at one moment, declared and observed. Immutable. */
public record NodeView(
    Node node,
    NodeState state,
    Optional<Instant> lastSeen,
    String agentVersion,
    Optional<Capability> capability,
    Optional<Load> load,
    List<Replica> replicas) {

  public NodeView {
    replicas = List.copyOf(replicas);
  }

  /** The model's replica here, if it can answer now. */
  public Optional<Replica.Ready> ready(String model) {
    return state == NodeState.ONLINE
        ? replicas.stream()
            .filter(replica -> replica.model().equals(model))
            .filter(Replica.Ready.class::isInstance)
            .map(Replica.Ready.class::cast)
            .findFirst()
        : Optional.empty();
  }
}
