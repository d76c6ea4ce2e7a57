package dev.cloister.coordinator.deployment;

import dev.cloister.coordinator.fleet.Assignment;
import dev.cloister.coordinator.fleet.Fleet;
import dev.cloister.coordinator.fleet.NodeSession;
import dev.cloister.coordinator.fleet.NodeView;
import dev.cloister.coordinator.fleet.Replica;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What nodes were told to have loaded, each in its session. Not thread-safe. */
final class Instructions {
  private final Fleet fleet;
  private final Map<String, Told> told = new HashMap<>();

  Instructions(Fleet fleet) {
    this.fleet = fleet;
  }

  private record Told(NodeSession session, Map<String, Assignment> served, Set<String> dropped) {

    /** A session is itself and nothing else. */
    @SuppressWarnings("ReferenceEquality")
    boolean isIn(NodeSession other) {
      return session == other;
    }
  }

  /** Forgets the nodes that are gone. */
  void forgetLost() {
    told.keySet().removeIf(nodeId -> fleet.session(nodeId).isEmpty());
  }

  /**
   * Tells a node what is new to it.
   *
   * @param assignments all that it is to have
   * @param awaited models that other nodes may make possible in a moment: what it has of them from
   *     an earlier session stays
   */
  void tell(NodeView node, List<Assignment> assignments, Set<String> awaited) {
    String nodeId = node.node().id();
    Optional<NodeSession> session = fleet.session(nodeId);
    if (session.isEmpty()) {
      return;
    }
    @Nullable Told known = told.get(nodeId);
    if (known == null || !known.isIn(session.get())) {
      known = new Told(session.get(), new HashMap<>(), new HashSet<>());
      told.put(nodeId, known);
    }
    Set<String> unwanted = new HashSet<>(known.served().keySet());
    node.replicas().stream()
        .map(Replica::model)
        .filter(model -> !awaited.contains(model))
        .forEach(unwanted::add);
    assignments.forEach(assignment -> unwanted.remove(assignment.model().name()));
    // First: what comes may need the room.
    for (String model : unwanted) {
      known.served().remove(model);
      if (known.dropped().add(model)) {
        known.session().drop(model);
      }
      // Also what it says of the model before it heard that.
      fleet.forget(nodeId, known.session(), model);
    }
    for (Assignment assignment : assignments) {
      serve(nodeId, known, assignment);
    }
  }

  private void serve(String nodeId, Told known, Assignment assignment) {
    String model = assignment.model().name();
    known.dropped().remove(model);
    @Nullable Assignment before = known.served().put(model, assignment);
    if (!assignment.equals(before)) {
      known.session().serve(assignment);
      if (before != null && !before.stage().equals(assignment.stage())) {
        // What runs there until it has understood is no answer to what it was told.
        fleet.forget(nodeId, known.session(), model);
      }
    }
  }
}
