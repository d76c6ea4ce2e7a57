package dev.cloister.coordinator.deployment;

import dev.cloister.coordinator.catalog.Catalog;
import dev.cloister.coordinator.catalog.CatalogListener;
import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.catalog.ModelContents;
import dev.cloister.coordinator.catalog.ModelOptions;
import dev.cloister.coordinator.fleet.Assignment;
import dev.cloister.coordinator.fleet.Capability;
import dev.cloister.coordinator.fleet.Fleet;
import dev.cloister.coordinator.fleet.FleetListener;
import dev.cloister.coordinator.fleet.Load;
import dev.cloister.coordinator.fleet.Node;
import dev.cloister.coordinator.fleet.NodeSession;
import dev.cloister.coordinator.fleet.NodeState;
import dev.cloister.coordinator.fleet.NodeView;
import dev.cloister.coordinator.fleet.Replica;
import dev.cloister.coordinator.placement.Demand;
import dev.cloister.coordinator.placement.Network;
import dev.cloister.coordinator.placement.Offer;
import dev.cloister.coordinator.placement.PipelinePlan;
import dev.cloister.coordinator.placement.PipelinePlan.PlannedStage;
import dev.cloister.coordinator.placement.Placement;
import dev.cloister.coordinator.placement.Placement.Need;
import dev.cloister.coordinator.placement.Planner;
import dev.cloister.coordinator.placement.Proposal;
import dev.cloister.coordinator.routing.Outlook;
import dev.cloister.identity.ticket.Neighbour;
import dev.cloister.identity.ticket.PlanTicket;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
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

/**
 * Has every model that fits somewhere served by every node that can hold it, and those that fit
 * nowhere, or are to be split, by pipelines of nodes. Thread-safe; one change after the other, so
 * that the last a node hears of a model is how it is to be run now.
 */
public final class Deployments implements FleetListener, CatalogListener, Outlook {
  private static final Logger log = LoggerFactory.getLogger(Deployments.class);

  /** A stream that is not open by then is not opened any more. */
  private static final Duration TICKET_LIFETIME = Duration.ofSeconds(60);

  /** So long a node on which a stage failed is left out where others can take its place. */
  private static final Duration AVOIDED = Duration.ofSeconds(60);

  private final Catalog catalog;
  private final Fleet fleet;
  private final Demands demands;
  private final Instructions instructions;
  private final InstantSource clock;
  private final Supplier<String> planNames;
  private final Map<String, Pipeline> pipelines = new TreeMap<>();
  private final Map<Avoided, Instant> avoided = new HashMap<>();
  private final Map<String, Attempt> inVain = new HashMap<>();
  private Allotment lately = new Allotment(List.of());
  private volatile Map<String, String> obstacles = Map.of();
  private volatile Set<String> coming = Set.of();

  /** With the same nodes the same model fails again for the same reason. */
  private record Attempt(Model model, List<Offer> nodes, String reason) {}

  /** A stage of the model failed on the node. */
  private record Avoided(String model, String nodeId) {}

  /**
   * @param planNames makes names that no plan had before
   */
  public Deployments(
      Catalog catalog,
      Fleet fleet,
      ModelContents contents,
      InstantSource clock,
      Supplier<String> planNames) {
    this.catalog = catalog;
    this.fleet = fleet;
    this.demands = new Demands(contents);
    this.instructions = new Instructions(fleet);
    this.clock = clock;
    this.planNames = planNames;
  }

  @Override
  public void attached(Node node, NodeSession session, Capability capability) {
    synchronized (this) {
      avoided.keySet().removeIf(known -> known.nodeId().equals(node.id()));
    }
    decide();
  }

  @Override
  public void replicasChanged() {
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

  /** Has broken rings closed again when their time has come. Called several times a second. */
  public synchronized void tick() {
    Instant now = clock.instant();
    if (avoided.values().removeIf(until -> until.isBefore(now))) {
      decide();
    } else {
      closeRings(now);
    }
  }

  /** Who is to have what, after any change. */
  private synchronized void decide() {
    Instant now = clock.instant();
    List<NodeView> online = online();
    Allotment allotment = new Allotment(offers(online));
    Map<String, String> missing = new HashMap<>();
    Map<String, PipelinePlan> broken = keepPipelines(online, allotment, now);
    for (Model model : catalog.models()) {
      if (!pipelines.containsKey(model.name())
          && (broken.containsKey(model.name()) || model.options().split().orElse(1) > 1)) {
        plan(model, allotment, online, broken, now)
            .ifPresent(why -> missing.put(model.name(), why));
      }
    }
    assignWhole(allotment);
    for (Model model : catalog.models()) {
      if (!online.isEmpty()
          && !pipelines.containsKey(model.name())
          && !missing.containsKey(model.name())
          && !allotment.isWholeSomewhere(model.name())) {
        plan(model, allotment, online, broken, now)
            .ifPresent(why -> missing.put(model.name(), why));
      }
    }
    instructions.forgetLost();
    online.forEach(node -> instructions.tell(node, allotment.assignments(node.node().id())));
    lately = allotment;
    publish(missing);
    closeRings(now);
  }

  /** A pipeline with a stage that failed is not coming, though its node tries again. */
  private void publish(Map<String, String> missing) {
    Map<String, String> known = new HashMap<>(missing);
    for (Pipeline pipeline : pipelines.values()) {
      pipeline
          .failure(this::replica)
          .ifPresent(failure -> known.put(pipeline.model().name(), failure));
    }
    Set<String> sound = new HashSet<>(pipelines.keySet());
    sound.removeAll(known.keySet());
    obstacles = Map.copyOf(known);
    coming = Set.copyOf(sound);
  }

  private List<NodeView> online() {
    return fleet.nodes().stream()
        .filter(view -> view.state() == NodeState.ONLINE && view.capability().isPresent())
        .toList();
  }

  private static Map<String, Capability> capabilities(List<NodeView> online) {
    return online.stream()
        .collect(
            Collectors.toMap(view -> view.node().id(), view -> view.capability().orElseThrow()));
  }

  private static List<Offer> offers(List<NodeView> online) {
    return online.stream()
        .map(
            view ->
                Offer.of(
                    view.node().id(),
                    view.node().name(),
                    !view.peerAddress().isEmpty(),
                    view.capability().orElseThrow(),
                    view.load().stream()
                        .mapToDouble(Load::memoryBytesPerSecond)
                        .filter(speed -> speed > 0)
                        .findFirst()))
        .toList();
  }

  /**
   * Ends the pipelines that nobody wants any more or that lost a node.
   *
   * @return the plans of those that lost a node
   */
  private Map<String, PipelinePlan> keepPipelines(
      List<NodeView> online, Allotment allotment, Instant now) {
    Map<String, PipelinePlan> broken = new HashMap<>();
    for (Pipeline pipeline : List.copyOf(pipelines.values())) {
      Model model = pipeline.model();
      noteFailures(pipeline, now);
      if (!catalog.find(model.name()).equals(Optional.of(model)) || isReadyWhole(model, online)) {
        pipelines.remove(model.name());
        log.info("the pipeline of model {} is not wanted any more", model.name());
      } else if (isSound(pipeline, online, allotment)) {
        give(pipeline, allotment);
      } else {
        pipelines.remove(model.name());
        broken.put(model.name(), pipeline.plan());
        log.warn("the pipeline of model {} lost a node: {}", model.name(), pipeline.layers());
      }
    }
    return broken;
  }

  /** A node on which a stage failed tries again by itself: it stays where none can replace it. */
  private boolean isSound(Pipeline pipeline, List<NodeView> online, Allotment allotment) {
    Model model = pipeline.model();
    List<String> nodes = pipeline.plan().stages().stream().map(PlannedStage::nodeId).toList();
    return isOnline(nodes, online)
        && (nodes.stream().noneMatch(node -> isAvoided(model, node))
            || Planner.plan(
                    pipeline.demand(), usable(model, allotment), Network.of(capabilities(online)))
                .plan()
                .isEmpty());
  }

  private static boolean isOnline(List<String> nodeIds, List<NodeView> online) {
    return online.stream().map(view -> view.node().id()).toList().containsAll(nodeIds);
  }

  private boolean isAvoided(Model model, String nodeId) {
    return avoided.containsKey(new Avoided(model.name(), nodeId));
  }

  private List<Offer> usable(Model model, Allotment allotment) {
    return allotment.freeFor(model.name()).stream()
        .filter(node -> !isAvoided(model, node.nodeId()))
        .toList();
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

  /** Where nobody insists on a split, one node that has all of it is better. */
  private static boolean isReadyWhole(Model model, List<NodeView> online) {
    return model.options().split().isEmpty()
        && online.stream()
            .anyMatch(
                view -> view.ready(model.name()).filter(own -> own.plan().isEmpty()).isPresent());
  }

  private static void give(Pipeline pipeline, Allotment allotment) {
    for (PlannedStage stage : pipeline.plan().stages()) {
      allotment.give(stage.nodeId(), pipeline.assignment(stage), stage.memory());
    }
  }

  /**
   * Makes a pipeline for the model, if that is what is best.
   *
   * @return why it cannot be, in one sentence
   */
  private Optional<String> plan(
      Model model,
      Allotment allotment,
      List<NodeView> online,
      Map<String, PipelinePlan> broken,
      Instant now) {
    Optional<Demand> demand = demands.of(model);
    if (demand.isEmpty()) {
      return Optional.empty();
    }
    List<Offer> nodes = allotment.freeFor(model.name());
    @Nullable Attempt before = inVain.get(model.name());
    if (before != null && before.model().equals(model) && before.nodes().equals(nodes)) {
      return Optional.of(before.reason());
    }
    Network network = Network.of(capabilities(online));
    List<Offer> usable = usable(model, allotment);
    Proposal proposal = Planner.plan(demand.get(), usable, network);
    if (proposal.plan().isEmpty() && usable.size() < nodes.size()) {
      proposal = Planner.plan(demand.get(), nodes, network);
    }
    if (proposal.plan().isEmpty()) {
      inVain.put(model.name(), new Attempt(model, nodes, proposal.reason()));
      log.warn("model {} is served by no node: {}", model.name(), proposal.reason());
      return Optional.of(proposal.reason());
    }
    PipelinePlan best = proposal.plan().get();
    if (!best.isWhole()) {
      PipelinePlan plan =
          Optional.ofNullable(broken.get(model.name()))
              .flatMap(former -> Planner.repair(demand.get(), former, usable, network))
              .orElse(best);
      Pipeline pipeline = new Pipeline(planNames.get(), model, demand.get(), plan, now);
      pipelines.put(model.name(), pipeline);
      give(pipeline, allotment);
      log.info("model {} is split, {}: {}", model.name(), pipeline.layers(), proposal.reason());
    }
    return Optional.empty();
  }

  /** All models that may be whole, on all nodes that have room beside what they were given. */
  private void assignWhole(Allotment allotment) {
    List<Need> needs =
        catalog.models().stream()
            .filter(model -> model.options().split().orElse(1) == 1)
            .map(model -> new Need(model, demands.whole(model)))
            .toList();
    for (Offer node : allotment.freeFor("")) {
      List<Need> open =
          needs.stream()
              .filter(need -> allotment.assignment(node.nodeId(), need.model().name()).isEmpty())
              .toList();
      for (Need need : Placement.assign(node, open)) {
        ModelOptions options = need.model().options();
        allotment.give(
            node.nodeId(),
            new Assignment(
                need.model(),
                options.contextTokens().orElse(0),
                options.slots().orElse(Demand.SLOTS),
                Optional.empty()),
            need.memory());
      }
    }
  }

  private void closeRings(Instant now) {
    for (Pipeline pipeline : pipelines.values()) {
      if (pipeline.observe(this::replica, now)) {
        long epoch = pipeline.close(now);
        String model = pipeline.model().name();
        log.info("model {}: the ring of {} is closed, epoch {}", model, pipeline.layers(), epoch);
        Instant expiry = now.plus(TICKET_LIFETIME).truncatedTo(ChronoUnit.MILLIS);
        for (PlanTicket ticket : pipeline.tickets(this::neighbour, expiry)) {
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
    return new Neighbour(
        nodeId,
        Set.copyOf(fleet.keys(nodeId)),
        fleet.view(nodeId).map(NodeView::peerAddress).orElse(""));
  }

  /** How a model would be placed now, if it were run with these options. */
  public synchronized Optional<Proposal> propose(Model model, ModelOptions options) {
    return demands
        .of(model.with(options))
        .map(
            demand ->
                Planner.plan(
                    demand, lately.freeFor(model.name()), Network.of(capabilities(online()))));
  }

  /** The stages of models that a node is to have. */
  public synchronized List<Assignment> stages(String nodeId) {
    return lately.assignments(nodeId).stream()
        .filter(assignment -> assignment.stage().isPresent())
        .toList();
  }
}
