package dev.cloister.coordinator.wake;

import dev.cloister.coordinator.fleet.Fleet;
import dev.cloister.coordinator.fleet.NodeState;
import dev.cloister.coordinator.fleet.NodeView;
import dev.cloister.coordinator.routing.Outlook;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * Has a sleeping node woken where requests find no free one and it had their model: one every ten
 * seconds, and each once a minute. Requests then wait for it as for a model that is being loaded.
 * Thread-safe.
 */
public final class WakingOutlook implements Outlook {
  private static final Duration BETWEEN_NODES = Duration.ofSeconds(10);
  private static final Duration BETWEEN_TRIES = Duration.ofMinutes(1);

  /** Of a node that was lost without a goodbye. */
  private static final Duration LEAST_SILENCE = Duration.ofMinutes(1);

  /** A machine is up by then, or will not be. */
  private static final Duration LONGEST_WAKING = Duration.ofSeconds(30);

  private final Outlook others;
  private final Fleet fleet;
  private final Consumer<NodeView> waker;
  private final InstantSource clock;
  private final Map<String, Instant> triedAt = new HashMap<>();
  private final Map<String, Instant> comingUntil = new HashMap<>();
  private Instant next = Instant.EPOCH;

  /**
   * @param others what else is known of models
   * @param waker sends what wakes a node
   */
  public WakingOutlook(Outlook others, Fleet fleet, Consumer<NodeView> waker, InstantSource clock) {
    this.others = others;
    this.fleet = fleet;
    this.waker = waker;
    this.clock = clock;
  }

  @Override
  public synchronized void missed(String model, Predicate<NodeView> allowed) {
    others.missed(model, allowed);
    Instant now = clock.instant();
    if (now.isBefore(next)) {
      return;
    }
    triedAt.values().removeIf(tried -> !now.isBefore(tried.plus(BETWEEN_TRIES)));
    comingUntil.values().removeIf(until -> until.isBefore(now));
    Optional<NodeView> sleeping =
        fleet.nodes().stream()
            .filter(node -> isAsleep(node, now))
            .filter(node -> node.drain().isEmpty() && node.former().contains(model))
            .filter(node -> !triedAt.containsKey(node.node().id()))
            .filter(allowed)
            .findFirst();
    if (sleeping.isPresent()) {
      next = now.plus(BETWEEN_NODES);
      triedAt.put(sleeping.get().node().id(), now);
      comingUntil.put(model, now.plus(LONGEST_WAKING));
      waker.accept(sleeping.get());
    }
  }

  /** What broke off just now has crashed rather than gone to sleep, and callers are to hear so. */
  private static boolean isAsleep(NodeView node, Instant now) {
    return Waker.canWake(node)
        && (node.state() == NodeState.OFFLINE
            || node.lastSeen().filter(seen -> seen.plus(LEAST_SILENCE).isBefore(now)).isPresent());
  }

  @Override
  public synchronized boolean isComing(String model) {
    return others.isComing(model)
        || comingUntil.getOrDefault(model, Instant.EPOCH).isAfter(clock.instant());
  }

  @Override
  public Optional<String> obstacle(String model) {
    return others.obstacle(model);
  }

  @Override
  public List<String> ring(String model) {
    return others.ring(model);
  }

  @Override
  public Map<String, Map<String, Double>> loadSeconds() {
    return others.loadSeconds();
  }

  @Override
  public Map<String, String> awaited() {
    return others.awaited();
  }

  @Override
  public void wanted(String model, String nodeId) {
    others.wanted(model, nodeId);
  }

  @Override
  public boolean wantedBySome(String model, Predicate<String> allowed) {
    return others.wantedBySome(model, allowed);
  }

  @Override
  public boolean isLeaving(String model, String nodeId) {
    return others.isLeaving(model, nodeId);
  }

  @Override
  public boolean begins(String model, String nodeId) {
    return others.begins(model, nodeId);
  }

  @Override
  public void ended(String model, String nodeId) {
    others.ended(model, nodeId);
  }
}
