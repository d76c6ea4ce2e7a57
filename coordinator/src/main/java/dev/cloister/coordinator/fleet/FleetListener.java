package dev.cloister.coordinator.fleet;

import java.util.Set;

/** Is told what changes in the fleet, on the thread that noticed it; returns quickly. */
public interface FleetListener {
  /** A node opened a session. */
  void attached(Node node, NodeSession session, Capability capability);

  /**
   * On these nodes models became ready, failed or were lost, or they open or close to new work, on
   * all of them at once.
   */
  void changed(Set<String> nodeIds);

  /** A node has other labels: what it may not see any more has to leave it. */
  default void relabeled(Node node) {}
}
