package dev.cloister.coordinator.deployment;

import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.fleet.Load;
import dev.cloister.coordinator.fleet.NodeView;
import dev.cloister.coordinator.links.Links;
import dev.cloister.coordinator.placement.Network;
import dev.cloister.coordinator.placement.Offer;
import java.time.Instant;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * One decision who is to have what.
 *
 * @param nodes those that are online, by id
 * @param allotment what was decided so far
 */
record Round(Instant now, Map<String, NodeView> nodes, Network network, Allotment allotment) {

  /** One in which nothing was decided yet. */
  static Round of(Instant now, List<NodeView> online, Links links) {
    Map<String, NodeView> nodes = new LinkedHashMap<>();
    online.forEach(view -> nodes.put(view.node().id(), view));
    return new Round(
        now,
        nodes,
        network(online, links),
        new Allotment(online.stream().map(Round::offer).toList()));
  }

  /** The same decision over another network. */
  Round with(Network other) {
    return new Round(now, nodes, other, allotment);
  }

  /** The same decision later. */
  Round at(Instant later) {
    return new Round(later, nodes, network, allotment);
  }

  Collection<NodeView> online() {
    return nodes.values();
  }

  private static Offer offer(NodeView view) {
    return Offer.of(
        view.node().id(),
        view.node().name(),
        view.capability().orElseThrow(),
        view.load().stream()
            .mapToDouble(Load::memoryBytesPerSecond)
            .filter(speed -> speed > 0)
            .findFirst());
  }

  /** What nodes have for the model that may be given layers of it. */
  List<Offer> offers(Model model) {
    return allotment.freeFor(model.name()).stream()
        .filter(node -> mayTake(node.nodeId(), model))
        .toList();
  }

  /** Whether the node may be given any of the model now. */
  boolean mayTake(String nodeId, Model model) {
    return isAllowed(nodeId, model) && isOpen(nodeId);
  }

  boolean isOpen(String nodeId) {
    return view(nodeId).filter(NodeView::isOpen).isPresent();
  }

  /** Whether the node is there and has the labels that the model requires. */
  boolean isAllowed(String nodeId, Model model) {
    return view(nodeId).filter(view -> view.labels().have(model.required())).isPresent();
  }

  /** Whether a node may have all of the model; one that is drained keeps what it has. */
  boolean mayServe(String nodeId, Model model) {
    return mayTake(nodeId, model)
        || (isAllowed(nodeId, model)
            && view(nodeId)
                .flatMap(view -> view.replica(model.name()))
                .filter(replica -> replica.plan().isEmpty())
                .isPresent());
  }

  /** Whether some node that takes requests is to have all of the model. */
  boolean isWholeSomewhere(Model model) {
    return nodes.values().stream()
        .filter(NodeView::isOpen)
        .map(view -> allotment.assignment(view.node().id(), model.name()))
        .flatMap(Optional::stream)
        .anyMatch(own -> own.stage().isEmpty());
  }

  /** The nodes that have been drained for so long that others are to take their places. */
  Set<String> left() {
    return nodes.values().stream()
        .filter(view -> view.drain().filter(drain -> drain.isOver(now)).isPresent())
        .map(view -> view.node().id())
        .collect(Collectors.toUnmodifiableSet());
  }

  Optional<NodeView> view(String nodeId) {
    return Optional.ofNullable(nodes.get(nodeId));
  }

  /** How these nodes reach each other. */
  static Network network(Collection<NodeView> online, Links links) {
    return new Network(
        online.stream()
            .collect(
                Collectors.toMap(
                    view -> view.node().id(), view -> view.capability().orElseThrow())),
        online.stream()
            .filter(view -> view.peerAddress().isEmpty())
            .map(view -> view.node().id())
            .collect(Collectors.toSet()),
        links.measured(),
        links.cut());
  }
}
