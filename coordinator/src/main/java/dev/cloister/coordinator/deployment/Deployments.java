package dev.cloister.coordinator.deployment;

import dev.cloister.coordinator.catalog.Catalog;
import dev.cloister.coordinator.catalog.CatalogListener;
import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.catalog.ModelContents;
import dev.cloister.coordinator.catalog.ModelOptions;
import dev.cloister.coordinator.deployment.WholeModels.Wanted;
import dev.cloister.coordinator.fleet.Assignment;
import dev.cloister.coordinator.fleet.Capability;
import dev.cloister.coordinator.fleet.Fleet;
import dev.cloister.coordinator.fleet.FleetListener;
import dev.cloister.coordinator.fleet.Node;
import dev.cloister.coordinator.fleet.NodeSession;
import dev.cloister.coordinator.fleet.NodeState;
import dev.cloister.coordinator.fleet.NodeView;
import dev.cloister.coordinator.fleet.Replica;
import dev.cloister.coordinator.links.Links;
import dev.cloister.coordinator.links.Wish;
import dev.cloister.coordinator.placement.Network.Way;
import dev.cloister.coordinator.placement.Planner;
import dev.cloister.coordinator.placement.Proposal;
import dev.cloister.coordinator.residence.Place;
import dev.cloister.coordinator.residence.Usage;
import dev.cloister.coordinator.routing.Outlook;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * Has every model that fits somewhere served by every node that has room for it, or comes to have
 * when it is asked for, and those that fit nowhere, or are to be split, by pipelines of nodes.
 * Thread-safe; one change after the other, so that the last a node hears of a model is how it is to
 * be run now.
 */
public final class Deployments implements FleetListener, CatalogListener, Outlook {
  /** So long a model that nothing can hold is expected to become possible by another node. */
  private static final Duration LONGEST_GATHERING = Duration.ofSeconds(30);

  /** News of links come one by one. */
  private static final Duration QUIET = Duration.ofSeconds(2);

  /** How often it is looked at anew how long loading would take. */
  private static final Duration BETWEEN_LOOKS = Duration.ofMillis(500);

  private final Catalog catalog;
  private final Fleet fleet;
  private final Links links;
  private final InstantSource clock;
  private final Demands demands;
  private final Pipelines pipelines;
  private final Usage usage = new Usage();
  private final WholeModels wholes;
  private final Map<String, Wanted> wanted = new ConcurrentHashMap<>();
  private final Instructions instructions;
  private final Map<String, Instant> missingSince = new HashMap<>();
  private Set<String> awaited = Set.of();
  private Round last;
  private Optional<Instant> newsOfLinks = Optional.empty();
  private volatile Map<String, String> obstacles = Map.of();
  private volatile Set<String> coming = Set.of();
  private volatile Map<String, List<String>> rings = Map.of();
  private volatile Map<String, Map<String, Double>> loadSeconds = Map.of();
  private volatile Map<String, Map<String, Double>> loadSecondsForSome = Map.of();
  private volatile Map<String, String> awaitedLoads = Map.of();
  private Instant lookedAt = Instant.EPOCH;

  /** How often something changed. */
  private final AtomicLong changes = new AtomicLong();

  /** How often it had when the last decision was begun. */
  private long decided;

  /**
   * @param links asked for each plan, and for each ring that is closed
   * @param planNames makes names that no plan had before
   */
  public Deployments(
      Catalog catalog,
      Fleet fleet,
      Links links,
      ModelContents contents,
      InstantSource clock,
      Supplier<String> planNames) {
    this.catalog = catalog;
    this.fleet = fleet;
    this.links = links;
    this.clock = clock;
    this.demands = new Demands(contents);
    this.pipelines = new Pipelines(catalog, fleet, links, planNames);
    this.wholes = new WholeModels(catalog, demands, usage);
    this.instructions = new Instructions(fleet);
    this.last = Round.of(Instant.EPOCH, List.of(), links);
  }

  @Override
  public void attached(Node node, NodeSession session, Capability capability) {
    synchronized (this) {
      pipelines.joined(node.id());
      fleet.view(node.id()).ifPresent(view -> wholes.joined(view, clock.instant()));
    }
    decide();
  }

  @Override
  public void changed(Set<String> nodeIds) {
    decide();
  }

  @Override
  public void configured(Model model) {
    decide();
  }

  @Override
  public boolean isComing(String model) {
    return coming.contains(model);
  }

  @Override
  public Optional<String> obstacle(String model) {
    return Optional.ofNullable(obstacles.get(model));
  }

  @Override
  public List<String> ring(String model) {
    return rings.getOrDefault(model, List.of());
  }

  @Override
  public Map<String, Map<String, Double>> loadSeconds() {
    return loadSeconds;
  }

  @Override
  public Map<String, String> awaited() {
    return awaitedLoads;
  }

  @Override
  public void wanted(String model, String nodeId) {
    want(model, new Wanted(nodeId, clock.instant(), false));
  }

  @Override
  public boolean wantedBySome(String model, Predicate<String> allowed) {
    Optional<String> soonest =
        loadSecondsForSome.getOrDefault(model, Map.of()).entrySet().stream()
            .filter(node -> allowed.test(node.getKey()))
            .min(Map.Entry.comparingByValue())
            .map(Map.Entry::getKey);
    soonest.ifPresent(nodeId -> want(model, new Wanted(nodeId, clock.instant(), true)));
    return soonest.isPresent();
  }

  private void want(String model, Wanted ask) {
    wanted.merge(model, ask, (earlier, latest) -> latest.after(earlier));
  }

  @Override
  public boolean isLeaving(String model, String nodeId) {
    return usage.isLeaving(new Place(nodeId, model));
  }

  @Override
  public boolean begins(String model, String nodeId) {
    return usage.begin(new Place(nodeId, model), clock.instant());
  }

  @Override
  public void ended(String model, String nodeId) {
    usage.end(new Place(nodeId, model), clock.instant());
  }

  /**
   * Has models come and go that are asked for, or are not any more, and broken rings closed again
   * when their time has come. Called several times a second.
   */
  public synchronized void tick() {
    Instant now = clock.instant();
    boolean changed = wholes.tick(last.at(now), wanted);
    boolean gathered =
        awaited.stream().anyMatch(model -> isOver(missingSince.getOrDefault(model, now), now));
    if (newsOfLinks.filter(since -> !since.plus(QUIET).isAfter(now)).isPresent()) {
      newsOfLinks =
          pipelines.endThoseFarBehind(last.with(Round.network(last.online(), links)))
              ? Optional.of(now)
              : Optional.empty();
      decide();
    } else if (changed || gathered || pipelines.isDue(now) || !last.left().equals(left(now))) {
      decide();
    } else {
      pipelines.closeRings(now);
      if (!now.isBefore(lookedAt.plus(BETWEEN_LOOKS))) {
        look(last.at(now));
      }
    }
  }

  private void look(Round round) {
    lookedAt = round.now();
    Map<String, Map<String, Double>> seconds = wholes.loadSeconds(round, pipelines::has);
    if (!seconds.equals(loadSeconds)) {
      loadSeconds = seconds;
    }
    loadSecondsForSome = wholes.loadSecondsForSome(round, pipelines::has);
    awaitedLoads = wholes.awaited(round, wanted);
  }

  /** Notes that ways between nodes are other than was known. */
  public synchronized void linksChanged() {
    newsOfLinks = Optional.of(clock.instant());
  }

  /** Whether a node can dial another, as far as anybody tried. */
  public boolean mayReach(String nodeId, String otherId) {
    return !links.isCut(new Way(nodeId, otherId));
  }

  /** Between which nodes links matter now. */
  public synchronized Wish wish() {
    List<List<String>> rings = pipelines.rings();
    boolean isSplit =
        !rings.isEmpty()
            || catalog.models().stream()
                .anyMatch(
                    model ->
                        model.options().split().orElse(0) != 1
                            && !last.isWholeSomewhere(model)
                            && !loadSeconds.containsKey(model.name()));
    return isSplit
        ? new Wish(
            last.online().stream()
                .sorted(Comparator.comparingLong(Deployments::memoryBytes).reversed())
                .map(view -> view.node().id())
                .toList(),
            rings,
            rising(),
            pipelines.doubtful())
        : Wish.NONE;
  }

  private Set<String> rising() {
    Set<String> nodes = pipelines.rising();
    last.online().stream()
        .filter(view -> view.replicas().stream().anyMatch(Deployments::isRising))
        .forEach(view -> nodes.add(view.node().id()));
    return nodes;
  }

  private static boolean isRising(Replica replica) {
    return replica instanceof Replica.Fetching || replica instanceof Replica.Loading;
  }

  private static long memoryBytes(NodeView view) {
    return view.capability().orElseThrow().memoryAvailableBytes();
  }

  private Set<String> left(Instant now) {
    return fleet.drains().entrySet().stream()
        .filter(drained -> drained.getValue().isOver(now))
        .map(Map.Entry::getKey)
        .collect(Collectors.toUnmodifiableSet());
  }

  /**
   * Decides anew after a change, before this returns. Many nodes come at once when the coordinator
   * starts, and each decision goes through all nodes: what changes while one is made is taken
   * together by the next.
   */
  private void decide() {
    long change = changes.incrementAndGet();
    synchronized (this) {
      if (decided < change) {
        decided = changes.get();
        decideNow();
      }
    }
  }

  /** Who is to have what. */
  private void decideNow() {
    Round round = Round.of(clock.instant(), online(), links);
    Map<String, String> missing = new HashMap<>();
    pipelines.keep(round);
    for (Model model : catalog.models()) {
      if (pipelines.isBroken(model.name()) || model.options().split().orElse(1) > 1) {
        split(model, round, missing);
      }
    }
    wholes.assign(round);
    // Before nodes are told: what leaves can be loaded again from the moment on at which it is
    // gone.
    look(round);
    for (Model model : catalog.models()) {
      if (!round.online().isEmpty() && !round.isWholeSomewhere(model)) {
        splitOrAwait(model, round, missing);
      }
    }
    await(missing.keySet(), round.now());
    instructions.forgetLost();
    for (NodeView node : round.online()) {
      instructions.tell(node, round.allotment().assignments(node.node().id()), awaited);
    }
    wholes.told();
    last = round;
    publish(missing);
    pipelines.closeRings(round.now());
  }

  /** What can be loaded when it is asked for is not missing. */
  private void splitOrAwait(Model model, Round round, Map<String, String> missing) {
    String name = model.name();
    boolean canBeLoaded = loadSeconds.containsKey(name);
    if (!(canBeLoaded && wholes.waitsToBeAsked(model))) {
      split(model, round, missing);
    }
    if (canBeLoaded) {
      missing.remove(name);
    } else if (!pipelines.has(name)) {
      wholes.keptOut(round, model).ifPresent(why -> missing.put(name, why));
    }
  }

  private void split(Model model, Round round, Map<String, String> missing) {
    if (!pipelines.has(model.name()) && !missing.containsKey(model.name())) {
      demands
          .of(model)
          .flatMap(demand -> pipelines.plan(demand, model, round))
          .ifPresent(why -> missing.put(model.name(), why));
    }
  }

  /** After a start of the coordinator, nodes come one by one. */
  private void await(Set<String> missing, Instant now) {
    missingSince.keySet().retainAll(missing);
    missing.forEach(model -> missingSince.putIfAbsent(model, now));
    awaited =
        missingSince.entrySet().stream()
            .filter(entry -> !isOver(entry.getValue(), now))
            .map(Map.Entry::getKey)
            .collect(Collectors.toUnmodifiableSet());
  }

  private static boolean isOver(Instant since, Instant now) {
    return since.plus(LONGEST_GATHERING).isBefore(now);
  }

  /** A pipeline with a stage that failed is not coming, though its node tries again. */
  private void publish(Map<String, String> missing) {
    Map<String, String> known = new HashMap<>(missing);
    known.putAll(pipelines.failures());
    Set<String> sound = new HashSet<>(pipelines.models());
    sound.removeAll(known.keySet());
    obstacles = Map.copyOf(known);
    coming = Set.copyOf(sound);
    rings = pipelines.ringsByModel();
  }

  private List<NodeView> online() {
    return fleet.nodes().stream()
        .filter(view -> view.state() == NodeState.ONLINE && view.capability().isPresent())
        .toList();
  }

  /** How a model would be placed now, if it were run with these options. */
  public synchronized Optional<Proposal> propose(Model model, ModelOptions options) {
    return demands
        .of(model.with(options))
        .map(
            demand ->
                Planner.plan(demand, last.offers(model), Round.network(last.online(), links)));
  }

  /** The stages of models that a node is to have. */
  public synchronized List<Assignment> stages(String nodeId) {
    return last.allotment().assignments(nodeId).stream()
        .filter(assignment -> assignment.stage().isPresent())
        .toList();
  }

  /** Why a model is on a node, if all of it is there or on its way. */
  public synchronized Optional<Residence> residence(String nodeId, String model) {
    return wholes.residence(new Place(nodeId, model));
  }
}
