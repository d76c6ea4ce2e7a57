package dev.cloister.coordinator.fleet;

/** Is told what changes in the fleet, on the thread that noticed it; returns quickly. */
public interface FleetListener {
  /** A node opened a session. */
  void attached(Node node, NodeSession session, Capability capability);

  /** Somewhere a model became ready, failed or was lost, or a node opens or closes to new work. */
  void replicasChanged();

  /** A node has other labels: what it may not see any more has to leave it. */
  default void relabeled(Node node) {}
}
