package dev.cloister.coordinator.fleet;

import dev.cloister.identity.ticket.KeyHash;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The machines of the cluster: declared once, observed through their sessions.
 *
 * <p>Thread-safe. A session is held by the agent's stream; whichever session was attached last for
 * a node is the node's session, and news from an older one is ignored.
 */
public final class Fleet {
  private static final Logger log = LoggerFactory.getLogger(Fleet.class);

  private final InstantSource clock;
  private final Duration silenceLimit;
  private final NodeRecords records;
  private final Map<String, NodeSettings> settings;
  private final Map<String, Node> declared = new ConcurrentHashMap<>();
  private final Map<String, Observation> observed = new ConcurrentHashMap<>();
  private final Map<String, List<KeyHash>> keys = new ConcurrentHashMap<>();
  private final List<FleetListener> listeners = new CopyOnWriteArrayList<>();

  /**
   * @param declared the nodes that joined before
   * @param records what is remembered of them
   * @param silenceLimit a node that reported nothing for so long is lost
   */
  public Fleet(
      Collection<Node> declared, NodeRecords records, InstantSource clock, Duration silenceLimit) {
    this.records = records;
    this.settings = new ConcurrentHashMap<>(records.all());
    declared.forEach(node -> this.declared.put(node.id(), node));
    this.clock = clock;
    this.silenceLimit = silenceLimit;
  }

  /** Has {@code listener} told of every change from now on. */
  public void addListener(FleetListener listener) {
    listeners.add(listener);
  }

  /** Takes a node that joined just now; whoever calls has recorded it durably. */
  public void declare(Node node) {
    declared.put(node.id(), node);
    log.info("node {} ({}) joined", node.name(), node.id());
  }

  /** The node of this member id, if it joined. */
  public Optional<Node> find(String nodeId) {
    return Optional.ofNullable(declared.get(nodeId));
  }

  /** The node that people call by this name, or whose id it is. */
  public Optional<Node> named(String nameOrId) {
    return find(nameOrId)
        .or(
            () ->
                declared.values().stream()
                    .filter(node -> node.name().equals(nameOrId))
                    .findFirst());
  }

  /**
   * Gives a node that joined nothing new until {@link #resume}.
   *
   * @param deadline when answers that still run there are moved
   */
  public void drain(Node node, Instant deadline) {
    change(node, known -> known.with(Optional.of(Drain.byAdministrator(deadline))));
    log.info("node {} is drained; answers are moved from {} on", node.name(), deadline);
  }

  /** Ends a drain. */
  public void resume(Node node) {
    change(node, known -> known.with(Optional.empty()));
    log.info("node {} is not drained any more", node.name());
  }

  /**
   * Changes the labels of a node that joined.
   *
   * @throws IllegalArgumentException if one is malformed or there are too many; the message is one
   *     sentence
   */
  public void label(Node node, Map<String, String> set, Collection<String> removed) {
    change(node, known -> known.with(known.labels().with(set, removed)));
    log.info("node {} has the labels [{}]", node.name(), view(node).labels());
    listeners.forEach(listener -> listener.relabeled(node));
  }

  private void change(Node node, UnaryOperator<NodeSettings> change) {
    keep(node, change);
    listeners.forEach(listener -> listener.changed(Set.of(node.id())));
  }

  private void keep(Node node, UnaryOperator<NodeSettings> change) {
    settings.compute(
        node.id(),
        (id, known) -> {
          NodeSettings next = change.apply(known == null ? NodeSettings.NONE : known);
          records.put(id, next);
          return next;
        });
  }

  /**
   * Takes what the node says of itself.
   *
   * @param drain empty if it takes new work
   */
  public void pause(String nodeId, NodeSession session, Optional<Drain> drain) {
    if (update(nodeId, session, seen -> seen.with(drain))) {
      log.info("node {} {}", nodeId, drain.map(Drain::describe).orElse("takes new work"));
      listeners.forEach(listener -> listener.changed(Set.of(nodeId)));
    }
  }

  /** The nodes with a session that get nothing new. */
  public Map<String, Drain> drains() {
    Map<String, Drain> drains = new HashMap<>();
    observed.forEach(
        (nodeId, seen) -> {
          if (seen.session() != null) {
            drain(nodeId, seen).ifPresent(drain -> drains.put(nodeId, drain));
          }
        });
    return drains;
  }

  private Optional<Drain> drain(String nodeId, @Nullable Observation seen) {
    Optional<Drain> own = seen == null ? Optional.empty() : seen.pause();
    // Whoever stops is gone in a moment, whatever else was said of it.
    return own.filter(drain -> drain.cause() == Drain.Cause.STOPPING)
        .or(settings.getOrDefault(nodeId, NodeSettings.NONE)::drain)
        .or(() -> own);
  }

  /**
   * Notes the public key of a certificate that the node was issued or showed just now. The two
   * newest are remembered: until the new certificate was used, the one before it is still good.
   */
  public void noteKey(String nodeId, KeyHash key) {
    keys.merge(
        nodeId,
        List.of(key),
        (known, fresh) ->
            Stream.concat(fresh.stream(), known.stream()).distinct().limit(2).toList());
  }

  /** The keys that the node may show, the newest first. */
  public List<KeyHash> keys(String nodeId) {
    return keys.getOrDefault(nodeId, List.of());
  }

  /**
   * Makes {@code session} the node's session; an earlier one is closed.
   *
   * @param peerAddress where it listens for other agents, {@code host:port}; empty if it does not
   * @param models whole ones that it has from an earlier session
   */
  public void attach(
      Node node,
      NodeSession session,
      String agentVersion,
      Capability capability,
      String peerAddress,
      Set<String> models) {
    Observation fresh =
        new Observation(
            NodeState.ONLINE,
            session,
            clock.instant(),
            agentVersion,
            capability,
            peerAddress,
            null,
            Optional.empty(),
            Set.copyOf(models),
            Map.of());
    @Nullable Observation former = observed.put(node.id(), fresh);
    if (former != null && former.session() != null && !former.isOf(session)) {
      former.session().close("the node opened another session");
    }
    remember(node, capability);
    log.info("node {} ({}) is online", node.name(), node.id());
    listeners.forEach(listener -> listener.attached(node, session, capability));
  }

  /** What a machine says while it is awake is all there is to wake it by. */
  private void remember(Node node, Capability capability) {
    List<WakeAddress> wake =
        capability.links().stream().flatMap(link -> link.wake().stream()).distinct().toList();
    if (!settings.getOrDefault(node.id(), NodeSettings.NONE).wake().equals(wake)) {
      keep(node, known -> known.with(wake));
    }
  }

  /** Takes what a node has for models; that counts from {@link #reconsider} on. */
  public void capability(String nodeId, NodeSession session, Capability capability) {
    update(nodeId, session, seen -> seen.with(capability));
  }

  /** Has it decided anew who is to have what. */
  public void reconsider() {
    listeners.forEach(listener -> listener.changed(Set.of()));
  }

  /** Takes a load report. */
  public void report(String nodeId, NodeSession session, Load load) {
    update(nodeId, session, seen -> seen.with(clock.instant(), load));
  }

  /** Takes what the engine of a model on the node takes now; that wakes nobody. */
  public void resident(String nodeId, NodeSession session, String model, long bytes) {
    update(
        nodeId,
        session,
        seen -> {
          @Nullable Replica known = seen.replicas().get(model);
          return known == null ? seen : seen.with(seen.lastSeen(), known.withResidentBytes(bytes));
        });
  }

  /** Takes news of a model on the node. */
  public void replica(String nodeId, NodeSession session, Replica replica) {
    boolean[] news = {false};
    update(
        nodeId,
        session,
        seen -> {
          @Nullable Replica before = seen.replicas().get(replica.model());
          // Progress alone is no news: it would fill the log and wake every waiting request.
          news[0] =
              before == null
                  || before.getClass() != replica.getClass()
                  || !before.plan().equals(replica.plan());
          return seen.with(clock.instant(), replica);
        });
    if (news[0]) {
      log.info("node {}: {}", nodeId, replica);
      listeners.forEach(listener -> listener.changed(Set.of(nodeId)));
    }
  }

  /** Forgets what was told of a model on the node, which is to have something else from now on. */
  public void forget(String nodeId, NodeSession session, String model) {
    update(nodeId, session, seen -> seen.without(model));
  }

  /**
   * Notes that a session ended.
   *
   * @param state how: {@link NodeState#OFFLINE} after a goodbye, else {@link NodeState#LOST}
   */
  public void detach(String nodeId, NodeSession session, NodeState state) {
    if (update(nodeId, session, seen -> seen.ended(state))) {
      log.info("node {} is {}", nodeId, state == NodeState.LOST ? "lost" : "offline");
      listeners.forEach(listener -> listener.changed(Set.of(nodeId)));
    }
  }

  /**
   * Declares lost whoever was silent for too long, all of them at once: what is planned anew is
   * planned once, and without any of them. Called several times a second.
   */
  public void sweep() {
    Instant limit = clock.instant().minus(silenceLimit);
    Map<String, NodeSession> silent = new HashMap<>();
    observed.forEach(
        (nodeId, seen) -> {
          @Nullable NodeSession session = seen.session();
          if (session != null
              && seen.lastSeen().isBefore(limit)
              && update(nodeId, session, last -> last.ended(NodeState.LOST))) {
            log.warn("node {} was silent for {} ms", nodeId, silenceLimit.toMillis());
            silent.put(nodeId, session);
          }
        });
    if (!silent.isEmpty()) {
      listeners.forEach(listener -> listener.changed(Set.copyOf(silent.keySet())));
      String reason = "the node was silent for " + silenceLimit.toMillis() + " ms";
      silent.values().forEach(session -> session.close(reason));
    }
  }

  /** Every node, by name. */
  public List<NodeView> nodes() {
    return declared.values().stream()
        .map(this::view)
        .sorted(Comparator.comparing(v -> v.node().name()))
        .toList();
  }

  /** A node that joined. */
  public Optional<NodeView> view(String nodeId) {
    return find(nodeId).map(this::view);
  }

  /** Whether a node may be given new work; as {@link NodeView#isOpen}. */
  public boolean isOpen(String nodeId) {
    @Nullable Observation seen = observed.get(nodeId);
    return seen != null && seen.state() == NodeState.ONLINE && drain(nodeId, seen).isEmpty();
  }

  /** The open session of a node, if it is online. */
  public Optional<NodeSession> session(String nodeId) {
    return Optional.ofNullable(observed.get(nodeId)).flatMap(o -> Optional.ofNullable(o.session()));
  }

  private NodeView view(Node node) {
    @Nullable Observation seen = observed.get(node.id());
    NodeSettings known = settings.getOrDefault(node.id(), NodeSettings.NONE);
    if (seen == null) {
      return new NodeView(
          node,
          known.labels(),
          NodeState.OFFLINE,
          Optional.empty(),
          "",
          Optional.empty(),
          "",
          Optional.empty(),
          drain(node.id(), null),
          known.wake(),
          Set.of(),
          List.of());
    }
    return new NodeView(
        node,
        known.labels(),
        seen.state(),
        Optional.of(seen.lastSeen()),
        seen.agentVersion(),
        Optional.of(seen.capability()),
        seen.peerAddress(),
        Optional.ofNullable(seen.load()),
        drain(node.id(), seen),
        known.wake(),
        seen.former(),
        new ArrayList<>(seen.replicas().values()));
  }

  private boolean update(String nodeId, NodeSession session, UnaryOperator<Observation> change) {
    boolean[] changed = {false};
    observed.computeIfPresent(
        nodeId,
        (id, seen) -> {
          if (!seen.isOf(session)) {
            return seen;
          }
          changed[0] = true;
          return change.apply(seen);
        });
    return changed[0];
  }
}
