package dev.cloister.coordinator.deployment;

import dev.cloister.coordinator.fleet.Assignment;
import dev.cloister.coordinator.placement.Offer;
import dev.cloister.coordinator.placement.StageMemory;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** Which node is to have what, and what that leaves of its memory. Not thread-safe. */
final class Allotment {
  private final List<Offer> nodes;
  private final Map<Share, Given> given = new LinkedHashMap<>();

  private record Share(String nodeId, String model) {}

  private record Given(Assignment assignment, StageMemory memory) {}

  /** Nodes that have nothing yet. */
  Allotment(List<Offer> nodes) {
    this.nodes = List.copyOf(nodes);
  }

  void give(String nodeId, Assignment assignment, StageMemory memory) {
    String model = assignment.model().name();
    Assignment placed =
        freeFor(model).stream()
            .filter(node -> node.nodeId().equals(nodeId))
            .findFirst()
            .map(
                node ->
                    assignment.placed(
                        gpuLayers(assignment, node, memory), node.mainMemoryBytes(memory)))
            .orElse(assignment.placed(OptionalInt.empty(), memory.totalBytes()));
    given.put(new Share(nodeId, model), new Given(placed, memory));
  }

  /** A number that somebody set is one of the whole model's layers, and says nothing of a stage. */
  private static OptionalInt gpuLayers(Assignment assignment, Offer node, StageMemory memory) {
    boolean isSet = assignment.model().options().gpuLayers().isPresent();
    return assignment.stage().isEmpty() && isSet ? OptionalInt.empty() : node.gpuLayers(memory);
  }

  /** What nodes have for the model: what is left, and what they have of it already. */
  List<Offer> freeFor(String model) {
    return nodes.stream().map(node -> freeFor(model, node)).toList();
  }

  private Offer freeFor(String model, Offer node) {
    Offer left = node;
    for (Map.Entry<Share, Given> entry : given.entrySet()) {
      Share share = entry.getKey();
      if (share.nodeId().equals(node.nodeId()) && !share.model().equals(model)) {
        left = left.without(entry.getValue().memory());
      }
    }
    return left;
  }

  /** What a node has for whole models, all together; empty if there is no such node. */
  Optional<Offer> besideStages(String nodeId) {
    return nodes.stream()
        .filter(node -> node.nodeId().equals(nodeId))
        .findFirst()
        .map(
            node -> {
              Offer left = node;
              for (Map.Entry<Share, Given> entry : given.entrySet()) {
                if (entry.getKey().nodeId().equals(nodeId)
                    && entry.getValue().assignment().stage().isPresent()) {
                  left = left.without(entry.getValue().memory());
                }
              }
              return left;
            });
  }

  Optional<Assignment> assignment(String nodeId, String model) {
    @Nullable Given known = given.get(new Share(nodeId, model));
    return known == null ? Optional.empty() : Optional.of(known.assignment());
  }

  /** What a node is to have. */
  List<Assignment> assignments(String nodeId) {
    return given.entrySet().stream()
        .filter(entry -> entry.getKey().nodeId().equals(nodeId))
        .map(entry -> entry.getValue().assignment())
        .toList();
  }
}
