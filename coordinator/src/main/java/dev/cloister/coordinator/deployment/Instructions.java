package dev.cloister.coordinator.deployment;

import dev.cloister.coordinator.fleet.Assignment;
import dev.cloister.coordinator.fleet.NodeSession;
import dev.cloister.coordinator.fleet.Replica;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What a node was told in its session. Not thread-safe. */
final class Instructions {
  private final NodeSession session;
  private final Map<String, Assignment> served = new HashMap<>();
  private final Set<String> dropped = new HashSet<>();

  Instructions(NodeSession session) {
    this.session = session;
  }

  /** A session is itself and nothing else. */
  @SuppressWarnings("ReferenceEquality")
  boolean areFor(NodeSession other) {
    return session == other;
  }

  /**
   * Tells what is new.
   *
   * @param assignments all that the node is to have
   * @param replicas what it has, from an earlier session perhaps
   * @return the models of which it was told that it is to have other layers, or nothing
   */
  List<String> tell(List<Assignment> assignments, List<Replica> replicas) {
    List<String> changed = new ArrayList<>();
    Set<String> unwanted = new HashSet<>(served.keySet());
    replicas.forEach(replica -> unwanted.add(replica.model()));
    for (Assignment assignment : assignments) {
      String model = assignment.model().name();
      unwanted.remove(model);
      dropped.remove(model);
      @Nullable Assignment before = served.put(model, assignment);
      if (!assignment.equals(before)) {
        session.serve(assignment);
        if (before != null && !before.stage().equals(assignment.stage())) {
          changed.add(model);
        }
      }
    }
    for (String model : unwanted) {
      served.remove(model);
      if (dropped.add(model)) {
        session.drop(model);
        changed.add(model);
      }
    }
    return changed;
  }
}
