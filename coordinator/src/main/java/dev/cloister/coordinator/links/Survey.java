package dev.cloister.coordinator.links;

import dev.cloister.coordinator.fleet.Capability;
import dev.cloister.coordinator.fleet.Fleet;
import dev.cloister.coordinator.fleet.FleetListener;
import dev.cloister.coordinator.fleet.Node;
import dev.cloister.coordinator.fleet.NodeSession;
import dev.cloister.coordinator.fleet.NodeView;
import dev.cloister.coordinator.placement.Network.Way;
import dev.cloister.identity.ticket.KeyHash;
import dev.cloister.identity.ticket.Neighbour;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has nodes measure the ways between them. A node takes part in one measurement at a time, nodes
 * that answer requests in none of rates, and the whole cluster does few at once. Of nodes that came
 * just now or are bringing a model up, only the ways of rings are tried. Thread-safe.
 */
public final class Survey implements FleetListener {
  private static final Logger log = LoggerFactory.getLogger(Survey.class);

  /** So long a measurement is believed. */
  static final Duration FRESH = Duration.ofMinutes(10);

  /** Whether a way is still cut costs a connection only. */
  static final Duration FRESH_IF_CUT = Duration.ofMinutes(2);

  static final Duration FRESH_IF_DOUBTFUL = Duration.ofSeconds(10);

  /** So long a node that came is left to its start and that of its first engines. */
  static final Duration SETTLING = Duration.ofSeconds(5);

  /** A node that does not answer by then is asked again. */
  static final Duration PATIENCE = Duration.ofSeconds(30);

  static final int MOST_AT_ONCE = 4;

  /** Their number squared is how many ways there are. */
  static final int MOST_NODES = 16;

  static final int PAYLOAD_BYTES = 4 << 20;

  private final Fleet fleet;
  private final Links links;
  private final InstantSource clock;
  private final Map<Way, Instant> underWay = new HashMap<>();
  private final Map<String, Instant> arrivals = new HashMap<>();

  public Survey(Fleet fleet, Links links, InstantSource clock) {
    this.fleet = fleet;
    this.links = links;
    this.clock = clock;
  }

  /** Begins what is due. Called several times a second. */
  public synchronized void tick(Wish wish) {
    Instant now = clock.instant();
    underWay.values().removeIf(began -> began.plus(PATIENCE).isBefore(now));
    arrivals.values().removeIf(came -> !came.plus(SETTLING).isAfter(now));
    if (wish.nodes().isEmpty()) {
      return;
    }
    Set<String> taken = new HashSet<>();
    underWay.keySet().forEach(way -> take(way, taken));
    Set<String> rising = rising(wish);
    Set<String> busy = answering(wish);
    busy.addAll(rising);
    for (Way way : due(wish, rising, busy, now)) {
      if (underWay.size() == MOST_AT_ONCE) {
        return;
      }
      if (!taken.contains(way.from())
          && !taken.contains(way.to())
          && begin(way, touches(way, busy) ? 0 : PAYLOAD_BYTES)) {
        underWay.put(way, now);
        take(way, taken);
      }
    }
  }

  /** Those in doubt first, then those of which least is known. */
  private List<Way> due(Wish wish, Set<String> rising, Set<String> busy, Instant now) {
    Set<Way> urgent = urgent(wish);
    return Stream.concat(
            urgent.stream(),
            ways(wish).stream().filter(way -> !urgent.contains(way) && !touches(way, rising)))
        .filter(way -> isDue(way, wish, !touches(way, busy), now))
        .sorted(
            Comparator.<Way, Boolean>comparing(way -> !wish.doubtful().contains(way))
                .thenComparing(way -> links.measuredAt(way, false).orElse(Instant.MIN)))
        .toList();
  }

  private static boolean touches(Way way, Set<String> nodes) {
    return nodes.contains(way.from()) || nodes.contains(way.to());
  }

  private static void take(Way way, Set<String> taken) {
    taken.add(way.from());
    if (!way.isToCoordinator()) {
      taken.add(way.to());
    }
  }

  /** A ring answers on all of its nodes. */
  private Set<String> answering(Wish wish) {
    Set<String> nodes = new HashSet<>();
    wish.nodes().stream().filter(this::isAnswering).forEach(nodes::add);
    for (List<String> ring : wish.rings()) {
      if (ring.stream().anyMatch(this::isAnswering)) {
        nodes.addAll(ring);
      }
    }
    return nodes;
  }

  private boolean isAnswering(String nodeId) {
    return fleet.session(nodeId).map(NodeSession::isAnswering).orElse(false);
  }

  /** Those that came just now as well. */
  private Set<String> rising(Wish wish) {
    Set<String> nodes = new HashSet<>(wish.rising());
    nodes.addAll(arrivals.keySet());
    return nodes;
  }

  /** Those that rings are closed on: one that is cut is to be known by then. */
  private static Set<Way> urgent(Wish wish) {
    Set<Way> ways = new LinkedHashSet<>(wish.doubtful());
    for (List<String> ring : wish.rings()) {
      for (int i = 0; i < ring.size(); i++) {
        ways.add(new Way(ring.get(i), ring.get((i + 1) % ring.size())));
      }
    }
    return ways;
  }

  private static Set<Way> ways(Wish wish) {
    Set<Way> ways = new LinkedHashSet<>();
    List<String> nodes = wish.nodes().stream().limit(MOST_NODES).toList();
    nodes.forEach(node -> ways.add(Way.toCoordinator(node)));
    for (String from : nodes) {
      for (String to : nodes) {
        if (!from.equals(to)) {
          ways.add(new Way(from, to));
        }
      }
    }
    return ways;
  }

  private boolean isDue(Way way, Wish wish, boolean altogether, Instant now) {
    Duration fresh =
        wish.doubtful().contains(way) ? FRESH_IF_DOUBTFUL : links.isCut(way) ? FRESH_IF_CUT : FRESH;
    return links.measuredAt(way, altogether).map(at -> !at.plus(fresh).isAfter(now)).orElse(true);
  }

  private boolean begin(Way way, int payloadBytes) {
    Optional<NodeSession> session = fleet.session(way.from());
    if (session.isEmpty()) {
      return false;
    }
    if (way.isToCoordinator()) {
      session.get().measureToCoordinator(payloadBytes);
      return true;
    }
    String address = fleet.view(way.to()).map(NodeView::peerAddress).orElse("");
    Set<KeyHash> keys = new HashSet<>(fleet.keys(way.to()));
    if (address.isEmpty() || keys.isEmpty() || fleet.session(way.to()).isEmpty()) {
      return false;
    }
    session.get().measure(new Neighbour(way.to(), keys, address), payloadBytes);
    return true;
  }

  /**
   * Takes what a node found, if it was asked for it.
   *
   * @param to the other node's id; empty: the coordinator
   * @return whether plans may have to be others by it
   */
  public boolean found(String from, String to, Finding finding) {
    Way way = new Way(from, to);
    synchronized (this) {
      if (underWay.remove(way) == null) {
        log.debug("node {} told of a link that nobody asked for", from);
        return false;
      }
    }
    boolean wasCut = links.isCut(way);
    boolean news = links.note(way, finding, clock.instant());
    if (finding instanceof Finding.Unreachable(String reason) && !wasCut) {
      log.warn("node {} does not reach node {}: {}", from, to, reason);
    } else if (news) {
      log.info("the way from node {} to {}: {}", from, to.isEmpty() ? "here" : to, finding);
    }
    return news;
  }

  /** It may be elsewhere now. */
  @Override
  public synchronized void attached(Node node, NodeSession session, Capability capability) {
    links.forget(node.id());
    arrivals.put(node.id(), clock.instant());
  }

  @Override
  public void changed(Set<String> nodeIds) {}
}
