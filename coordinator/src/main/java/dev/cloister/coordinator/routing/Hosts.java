package dev.cloister.coordinator.routing;

import dev.cloister.coordinator.fleet.Capability;
import dev.cloister.coordinator.fleet.NodeView;
import dev.cloister.coordinator.fleet.Replica;
import dev.cloister.coordinator.fleet.Replica.Ready.Use;
import dev.cloister.coordinator.placement.Demand;
import dev.cloister.coordinator.routing.choice.Host;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Collectors;

/** What the choice is to know of nodes, of all that the fleet knows of them. */
final class Hosts {
  private Hosts() {}

  /** What a node has of a model that it can answer with. */
  static Optional<Replica.Ready> generating(NodeView node, String model) {
    return node.ready(model).filter(ready -> ready.uses().contains(Use.GENERATE));
  }

  /** One that has a model. */
  static Host of(NodeView node, Replica.Ready ready) {
    return new Host(
        node.node().id(),
        node.node().name(),
        // Several are as fast together as they are with each other.
        ready.plan().isEmpty() ? kind(node) : kind(node) + " and others",
        ready.slots(),
        ready.full(),
        !ready.plan().isEmpty(),
        OptionalDouble.empty());
  }

  /** One that could load it; as many slots are assumed as it gets where nothing is said. */
  static Host of(NodeView node, double loadSeconds) {
    return new Host(
        node.node().id(),
        node.node().name(),
        kind(node),
        Demand.SLOTS,
        false,
        false,
        OptionalDouble.of(loadSeconds));
  }

  private static String kind(NodeView node) {
    return node.capability().map(Hosts::kind).orElse("");
  }

  private static String kind(Capability machine) {
    return machine.gpus().stream()
        .map(Capability.Gpu::model)
        .sorted()
        .collect(
            Collectors.joining(
                " + ", machine.cpu().model() + " x " + machine.cpu().physicalCores() + " ", ""));
  }
}
