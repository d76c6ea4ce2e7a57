package dev.cloister.coordinator.fleet;

import dev.cloister.coordinator.labels.Labels;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A node at one moment, declared and observed. Immutable.
 *
 * @param labels given by administrators
 * @param peerAddress where it listens for other agents, {@code host:port}; empty if it does not
 * @param wake by what it is woken when it sleeps
 * @param former models that it had when it went away, or came back with
 * @param drain present while it gets nothing new
 */
public record NodeView(
    Node node,
    Labels labels,
    NodeState state,
    Optional<Instant> lastSeen,
    String agentVersion,
    Optional<Capability> capability,
    String peerAddress,
    Optional<Load> load,
    Optional<Drain> drain,
    List<WakeAddress> wake,
    Set<String> former,
    List<Replica> replicas) {

  public NodeView {
    wake = List.copyOf(wake);
    former = Set.copyOf(former);
    replicas = List.copyOf(replicas);
  }

  /** Whether it may be given new work. */
  public boolean isOpen() {
    return state == NodeState.ONLINE && drain.isEmpty();
  }

  /** What there is of the model here. */
  public Optional<Replica> replica(String model) {
    return replicas.stream().filter(replica -> replica.model().equals(model)).findFirst();
  }

  /** The model's replica here, if it can answer now. */
  public Optional<Replica.Ready> ready(String model) {
    return state == NodeState.ONLINE
        ? replica(model).filter(Replica.Ready.class::isInstance).map(Replica.Ready.class::cast)
        : Optional.empty();
  }
}
