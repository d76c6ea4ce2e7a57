package dev.cloister.coordinator.deployment;

import dev.cloister.coordinator.fleet.Load;
import dev.cloister.coordinator.fleet.NodeView;
import dev.cloister.coordinator.links.Links;
import dev.cloister.coordinator.placement.Network;
import dev.cloister.coordinator.placement.Offer;
import java.time.Instant;
import java.util.List;
import java.util.stream.Collectors;

/**
 * One decision who is to have what.
 *
 * @param online the nodes there are
 * @param allotment what was decided so far
 */
record Round(Instant now, List<NodeView> online, Network network, Allotment allotment) {

  /** One in which nothing was decided yet. */
  static Round of(Instant now, List<NodeView> online, Links links) {
    return new Round(
        now,
        online,
        network(online, links),
        new Allotment(online.stream().map(Round::offer).toList()));
  }

  /** The same decision over another network. */
  Round with(Network other) {
    return new Round(now, online, other, allotment);
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

  boolean hasNode(String nodeId) {
    return online.stream().anyMatch(view -> view.node().id().equals(nodeId));
  }

  /** How these nodes reach each other. */
  static Network network(List<NodeView> online, Links links) {
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
