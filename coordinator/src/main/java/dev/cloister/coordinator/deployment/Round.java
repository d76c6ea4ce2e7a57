package dev.cloister.coordinator.deployment;

import dev.cloister.coordinator.fleet.Load;
import dev.cloister.coordinator.fleet.NodeView;
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
record Round(Instant now, List<NodeView> online, Allotment allotment) {

  /** One in which nothing was decided yet. */
  static Round of(Instant now, List<NodeView> online) {
    return new Round(now, online, new Allotment(online.stream().map(Round::offer).toList()));
  }

  private static Offer offer(NodeView view) {
    return Offer.of(
        view.node().id(),
        view.node().name(),
        !view.peerAddress().isEmpty(),
        view.capability().orElseThrow(),
        view.load().stream()
            .mapToDouble(Load::memoryBytesPerSecond)
            .filter(speed -> speed > 0)
            .findFirst());
  }

  boolean hasNode(String nodeId) {
    return online.stream().anyMatch(view -> view.node().id().equals(nodeId));
  }

  Network network() {
    return Network.of(
        online.stream()
            .collect(
                Collectors.toMap(
                    view -> view.node().id(), view -> view.capability().orElseThrow())));
  }
}
