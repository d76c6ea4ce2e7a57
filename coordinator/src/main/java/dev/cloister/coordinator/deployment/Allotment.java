package dev.cloister.coordinator.deployment;

import dev.cloister.coordinator.fleet.Assignment;
import dev.cloister.coordinator.placement.Offer;
import dev.cloister.coordinator.placement.StageMemory;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Predicate;

/** Which node is to have what, and what that leaves of its memory. Not thread-safe. */
final class Allotment {
  private final Map<String, Offer> nodes = new LinkedHashMap<>();

  /** By node and model. */
  private final Map<String, Map<String, Given>> given = new HashMap<>();

  private record Given(Assignment assignment, StageMemory memory) {}

  /** Nodes that have nothing yet. */
  Allotment(List<Offer> nodes) {
    nodes.forEach(node -> this.nodes.put(node.nodeId(), node));
  }

  void give(String nodeId, Assignment assignment, StageMemory memory) {
    String model = assignment.model().name();
    Assignment placed =
        Optional.ofNullable(nodes.get(nodeId))
            .map(node -> freeFor(model, node))
            .map(
                node ->
                    assignment.placed(
                        gpuLayers(assignment, node, memory), node.mainMemoryBytes(memory)))
            .orElse(assignment.placed(OptionalInt.empty(), memory.totalBytes()));
    given
        .computeIfAbsent(nodeId, id -> new LinkedHashMap<>())
        .put(model, new Given(placed, memory));
  }

  /** A number that somebody set is one of the whole model's layers, and says nothing of a stage. */
  private static OptionalInt gpuLayers(Assignment assignment, Offer node, StageMemory memory) {
    boolean isSet = assignment.model().options().gpuLayers().isPresent();
    return assignment.stage().isEmpty() && isSet ? OptionalInt.empty() : node.gpuLayers(memory);
  }

  /** What nodes have for the model: what is left, and what they have of it already. */
  List<Offer> freeFor(String model) {
    return nodes.values().stream().map(node -> freeFor(model, node)).toList();
  }

  private Offer freeFor(String model, Offer node) {
    return without(node, other -> !other.model().name().equals(model));
  }

  /** What a node has for whole models, all together; empty if there is no such node. */
  Optional<Offer> besideStages(String nodeId) {
    return Optional.ofNullable(nodes.get(nodeId))
        .map(node -> without(node, other -> other.stage().isPresent()));
  }

  private Offer without(Offer node, Predicate<Assignment> taken) {
    Offer left = node;
    for (Given share : of(node.nodeId()).values()) {
      if (taken.test(share.assignment())) {
        left = left.without(share.memory());
      }
    }
    return left;
  }

  private Map<String, Given> of(String nodeId) {
    return given.getOrDefault(nodeId, Map.of());
  }

  Optional<Assignment> assignment(String nodeId, String model) {
    return Optional.ofNullable(of(nodeId).get(model)).map(Given::assignment);
  }

  /** What a node is to have. */
  List<Assignment> assignments(String nodeId) {
    return of(nodeId).values().stream().map(Given::assignment).toList();
  }
}
