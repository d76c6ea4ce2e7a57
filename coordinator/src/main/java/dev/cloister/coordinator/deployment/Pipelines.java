package dev.cloister.coordinator.deployment;

import dev.cloister.coordinator.catalog.Catalog;
import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.fleet.Fleet;
import dev.cloister.coordinator.fleet.NodeSession;
import dev.cloister.coordinator.fleet.NodeView;
import dev.cloister.coordinator.fleet.Replica;
import dev.cloister.coordinator.links.Links;
import dev.cloister.coordinator.placement.Demand;
import dev.cloister.coordinator.placement.Network;
import dev.cloister.coordinator.placement.Network.Way;
import dev.cloister.coordinator.placement.Offer;
import dev.cloister.coordinator.placement.PipelinePlan;
import dev.cloister.coordinator.placement.PipelinePlan.PlannedStage;
import dev.cloister.coordinator.placement.Planner;
import dev.cloister.coordinator.placement.Planner.Held;
import dev.cloister.coordinator.placement.Proposal;
import dev.cloister.identity.ticket.Neighbour;
import dev.cloister.identity.ticket.PlanTicket;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The pipelines there are, one a model at most. Not thread-safe. */
final class Pipelines {
  private static final Logger log = LoggerFactory.getLogger(Pipelines.class);

  /** A stream that is not open by then is not opened any more. */
  private static final Duration TICKET_LIFETIME = Duration.ofSeconds(60);

  /** So long a node on which a stage failed is left out where others can take its place. */
  private static final Duration AVOIDED = Duration.ofSeconds(60);

  /** So long the others keep their stages for a node that went away and cannot be replaced. */
  private static final Duration LONGEST_ABSENCE = Duration.ofSeconds(30);

  /** So many times longer a token takes than it might. */
  private static final double FAR_BEHIND = 2;

  private static final double LEAST_SECONDS_GAINED = 0.02;

  private final Catalog catalog;
  private final Fleet fleet;
  private final Links links;
  private final Supplier<String> planNames;
  private final Map<String, Pipeline> running = new TreeMap<>();
  private final Map<String, Broken> broken = new TreeMap<>();
  private final Map<Avoided, Instant> avoided = new HashMap<>();
  private final Map<String, Attempt> inVain = new HashMap<>();

  /** A pipeline that lost a node. */
  private record Broken(Pipeline pipeline, Instant since) {}

  /** With the same nodes the same model fails again for the same reason. */
  private record Attempt(Model model, List<Offer> nodes, String reason) {}

  /** A stage of the model failed on the node. */
  private record Avoided(String model, String nodeId) {}

  Pipelines(Catalog catalog, Fleet fleet, Links links, Supplier<String> planNames) {
    this.catalog = catalog;
    this.fleet = fleet;
    this.links = links;
    this.planNames = planNames;
  }

  /** The models that are answered by pipelines, or will be. */
  Set<String> models() {
    return Set.copyOf(running.keySet());
  }

  /** The nodes of each pipeline, by model. */
  Map<String, List<String>> ringsByModel() {
    return running.values().stream()
        .collect(
            Collectors.toUnmodifiableMap(pipeline -> pipeline.model().name(), Pipeline::nodes));
  }

  boolean has(String model) {
    return running.containsKey(model);
  }

  /** Whether the model has a pipeline that lost a node. */
  boolean isBroken(String model) {
    return broken.containsKey(model);
  }

  /** Whether time alone makes a new decision worth while. */
  boolean isDue(Instant now) {
    return avoided.values().stream().anyMatch(until -> until.isBefore(now))
        || broken.values().stream().anyMatch(pipeline -> isOver(pipeline, now));
  }

  private static boolean isOver(Broken pipeline, Instant now) {
    return pipeline.since().plus(LONGEST_ABSENCE).isBefore(now);
  }

  /** Notes that a node has begun anew. */
  void joined(String nodeId) {
    avoided.keySet().removeIf(known -> known.nodeId().equals(nodeId));
  }

  /** Lets those go on that are sound, or are so again; the others are broken, or end. */
  void keep(Round round) {
    avoided.values().removeIf(until -> until.isBefore(round.now()));
    broken
        .values()
        .removeIf(lost -> isOver(lost, round.now()) || !isWanted(lost.pipeline(), round));
    for (Broken lost : List.copyOf(broken.values())) {
      if (stands(lost.pipeline(), round)) {
        broken.remove(lost.pipeline().model().name());
        running.put(lost.pipeline().model().name(), lost.pipeline());
      }
    }
    for (Pipeline pipeline : List.copyOf(running.values())) {
      String model = pipeline.model().name();
      noteFailures(pipeline, round.now());
      if (!isWanted(pipeline, round)) {
        running.remove(model);
        log.info("the pipeline of model {} is not wanted any more", model);
      } else if (isSound(pipeline, round)) {
        give(pipeline, round);
      } else {
        running.remove(model);
        broken.put(model, new Broken(pipeline, round.now()));
        log.warn("the pipeline of model {} lost a node: {}", model, pipeline.layers());
      }
    }
  }

  /** Where nobody insists on a split, one node that has all of it is better. */
  private boolean isWanted(Pipeline pipeline, Round round) {
    Model model = pipeline.model();
    boolean isReadyWhole =
        round.online().stream()
            .filter(NodeView::isOpen)
            .anyMatch(
                view -> view.ready(model.name()).filter(own -> own.plan().isEmpty()).isPresent());
    return catalog.find(model.name()).filter(model::runsAs).isPresent()
        && !(model.options().split().isEmpty() && isReadyWhole);
  }

  /**
   * A node on which a stage failed tries again by itself, and one that is drained still works: each
   * stays where none can replace it.
   */
  private boolean isSound(Pipeline pipeline, Round round) {
    Model model = pipeline.model();
    Set<String> left = round.left();
    return stands(pipeline, round)
        && pipeline.nodes().stream().allMatch(node -> round.isAllowed(node, model))
        && (pipeline.nodes().stream()
                .noneMatch(node -> isAvoided(model, node) || left.contains(node))
            || Planner.plan(pipeline.demand(), usable(model, round), round.network())
                .plan()
                .isEmpty());
  }

  private static boolean stands(Pipeline pipeline, Round round) {
    return Planner.stands(
        pipeline.demand(), pipeline.plan(), round.allotment().freeFor(pipeline.model().name()));
  }

  /**
   * Ends pipelines that are slow only by the ways between their nodes, where others are faster. To
   * move one takes the model away for as long as it loads, so that little is gained by little.
   *
   * @return whether some stayed because they are answering
   */
  boolean endThoseFarBehind(Round round) {
    boolean postponed = false;
    for (Pipeline pipeline : List.copyOf(running.values())) {
      if (isFarBehind(pipeline, round)) {
        if (fleet
            .session(pipeline.nodes().getFirst())
            .filter(NodeSession::isAnswering)
            .isPresent()) {
          postponed = true;
        } else {
          running.remove(pipeline.model().name());
          log.info(
              "the pipeline of model {} gives way to a faster one: {}",
              pipeline.model().name(),
              pipeline.layers());
        }
      }
    }
    return postponed;
  }

  private boolean isFarBehind(Pipeline pipeline, Round round) {
    List<Offer> nodes = usable(pipeline.model(), round);
    Optional<PipelinePlan> now =
        Planner.repair(pipeline.demand(), pipeline.plan(), nodes, round.network());
    Optional<PipelinePlan> best = Planner.plan(pipeline.demand(), nodes, round.network()).plan();
    if (now.isEmpty() || best.isEmpty() || best.get().isWhole()) {
      return false;
    }
    return isFar(now.get(), best.get());
  }

  private static boolean isFar(PipelinePlan plan, PipelinePlan best) {
    double seconds = plan.secondsPerToken();
    double possible = best.secondsPerToken();
    return seconds > FAR_BEHIND * possible && seconds - possible > LEAST_SECONDS_GAINED;
  }

  /** The nodes of pipelines, the first stage first. */
  List<List<String>> rings() {
    return running.values().stream().map(Pipeline::nodes).toList();
  }

  /** The nodes of pipelines that are on their way to their first answer, as far as one knows. */
  Set<String> rising() {
    Set<String> nodes = new HashSet<>();
    for (Pipeline pipeline : running.values()) {
      if (pipeline.isRising() && pipeline.failure(this::replica).isEmpty()) {
        nodes.addAll(pipeline.nodes());
      }
    }
    return nodes;
  }

  /** The ways of rings that do not close. */
  Set<Way> doubtful() {
    Set<Way> ways = new HashSet<>();
    for (Pipeline pipeline : running.values()) {
      if (pipeline.isInDoubt()) {
        List<String> ring = pipeline.nodes();
        for (int i = 0; i < ring.size(); i++) {
          ways.add(new Way(ring.get(i), ring.get((i + 1) % ring.size())));
        }
      }
    }
    return ways;
  }

  private boolean isAvoided(Model model, String nodeId) {
    return avoided.containsKey(new Avoided(model.name(), nodeId));
  }

  private List<Offer> usable(Model model, Round round) {
    return round.offers(model).stream().filter(node -> !isAvoided(model, node.nodeId())).toList();
  }

  private void noteFailures(Pipeline pipeline, Instant now) {
    for (PlannedStage stage : pipeline.plan().stages()) {
      if (pipeline
          .replica(stage, this::replica)
          .filter(Replica.Failed.class::isInstance)
          .isPresent()) {
        avoided.put(new Avoided(pipeline.model().name(), stage.nodeId()), now.plus(AVOIDED));
      }
    }
  }

  private static void give(Pipeline pipeline, Round round) {
    for (PlannedStage stage : pipeline.plan().stages()) {
      if (round.isAllowed(stage.nodeId(), pipeline.model())) {
        round.allotment().give(stage.nodeId(), pipeline.assignment(stage), stage.memory());
      }
    }
  }

  /**
   * Makes a pipeline for a model that has none, if that is what is best.
   *
   * @return why it cannot be, in one sentence
   */
  Optional<String> plan(Demand demand, Model model, Round round) {
    List<Offer> nodes = round.offers(model);
    @Nullable Attempt before = inVain.get(model.name());
    if (before != null && before.model().equals(model) && before.nodes().equals(nodes)) {
      return failed(model, before.reason(), round);
    }
    Network network = round.network();
    List<Offer> usable = usable(model, round);
    Proposal proposal = Planner.plan(demand, usable, network);
    if (proposal.plan().isEmpty() && usable.size() < nodes.size()) {
      proposal = Planner.plan(demand, nodes, network);
    }
    if (proposal.plan().isEmpty()) {
      String reason = reason(proposal, model);
      inVain.put(model.name(), new Attempt(model, nodes, reason));
      log.warn("model {} is served by no node: {}", model.name(), reason);
      return failed(model, reason, round);
    }
    inVain.remove(model.name());
    PipelinePlan best = proposal.plan().get();
    @Nullable Broken former = broken.remove(model.name());
    if (!best.isWhole()) {
      PipelinePlan plan =
          Optional.ofNullable(former)
              .flatMap(lost -> Planner.repair(demand, lost.pipeline().plan(), usable, network))
              .or(() -> asBefore(demand, model, usable, round).filter(old -> !isFar(old, best)))
              .orElse(best);
      Pipeline pipeline = new Pipeline(planNames.get(), model, demand, plan, round.now());
      running.put(model.name(), pipeline);
      give(pipeline, round);
      log.info("model {} is split, {}: {}", model.name(), pipeline.layers(), proposal.reason());
    }
    return Optional.empty();
  }

  /** While the coordinator was away, nodes have kept their stages: to load others takes minutes. */
  private static Optional<PipelinePlan> asBefore(
      Demand demand, Model model, List<Offer> usable, Round round) {
    Map<String, List<Held>> plans = new TreeMap<>();
    for (NodeView view : round.online()) {
      Optional<Replica> replica = view.replica(model.name());
      replica
          .flatMap(Replica::layers)
          .map(layers -> new Held(view.node().id(), layers.first(), layers.end()))
          .ifPresent(
              held ->
                  plans.computeIfAbsent(replica.get().plan(), _ -> new ArrayList<>()).add(held));
    }
    return plans.values().stream()
        .max(Comparator.comparingInt(List::size))
        .flatMap(held -> Planner.around(demand, held, usable, round.network()));
  }

  private static String reason(Proposal proposal, Model model) {
    return model.required().isEmpty()
        ? proposal.reason()
        : "only nodes with the labels %s may have %s, and of these: %s"
            .formatted(model.required(), model.name(), proposal.reason());
  }

  /** Those that are still there keep their stages for a while: the others may come back. */
  private Optional<String> failed(Model model, String reason, Round round) {
    @Nullable Broken lost = broken.get(model.name());
    if (lost != null) {
      give(lost.pipeline(), round);
    }
    return Optional.of(reason);
  }

  /** Why stages cannot be loaded, in one sentence for each model. */
  Map<String, String> failures() {
    Map<String, String> failures = new HashMap<>();
    running.forEach(
        (model, pipeline) ->
            pipeline.failure(this::replica).ifPresent(failure -> failures.put(model, failure)));
    return failures;
  }

  /** Gives out tickets where all stages wait for them. */
  void closeRings(Instant now) {
    for (Pipeline pipeline : running.values()) {
      if (pipeline.observe(this::replica, now)) {
        long epoch = pipeline.close(now);
        String model = pipeline.model().name();
        log.info("model {}: the ring of {} is closed, epoch {}", model, pipeline.layers(), epoch);
        Instant expiry = now.plus(TICKET_LIFETIME).truncatedTo(ChronoUnit.MILLIS);
        for (PlanTicket ticket : pipeline.tickets(this::neighbour, this::isRelayed, expiry)) {
          fleet
              .session(ticket.holder().nodeId())
              .ifPresent(session -> session.connect(model, ticket));
        }
      }
    }
  }

  private Optional<Replica> replica(String nodeId, String model) {
    return fleet.view(nodeId).flatMap(view -> view.replica(model));
  }

  private Neighbour neighbour(String nodeId) {
    return new Neighbour(nodeId, new HashSet<>(fleet.keys(nodeId)), address(nodeId));
  }

  private boolean isRelayed(String from, String to) {
    return address(to).isEmpty() || links.isCut(new Way(from, to));
  }

  private String address(String nodeId) {
    return fleet.view(nodeId).map(NodeView::peerAddress).orElse("");
  }
}
