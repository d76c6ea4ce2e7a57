package dev.cloister.coordinator.routing;

import dev.cloister.coordinator.catalog.Catalog;
import dev.cloister.coordinator.catalog.ModelName;
import dev.cloister.coordinator.fleet.Capability;
import dev.cloister.coordinator.fleet.Drain;
import dev.cloister.coordinator.fleet.Fleet;
import dev.cloister.coordinator.fleet.FleetListener;
import dev.cloister.coordinator.fleet.Node;
import dev.cloister.coordinator.fleet.NodeSession;
import dev.cloister.coordinator.inference.GenerationEvent.Failed;
import dev.cloister.coordinator.inference.GenerationEvent.FailureCode;
import dev.cloister.coordinator.inference.GenerationRequest;
import dev.cloister.coordinator.inference.GenerationSink;
import dev.cloister.coordinator.routing.CandidateBook.Placed;
import dev.cloister.coordinator.routing.admission.RetryBudget;
import dev.cloister.coordinator.routing.answer.AnswerLengths;
import dev.cloister.coordinator.routing.choice.Ask.Wait;
import dev.cloister.coordinator.routing.choice.Candidate;
import dev.cloister.coordinator.routing.choice.Decision;
import dev.cloister.coordinator.routing.choice.Work;
import dev.cloister.coordinator.routing.prefix.PrefixIndex;
import dev.cloister.coordinator.routing.prefix.PromptMarks;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Sends each request to the node the {@link dev.cloister.coordinator.routing.choice.Router}
 * chooses. Thread-safe; nothing here blocks.
 *
 * <p>Where all nodes are full, requests wait for their turn in {@link WaitingRooms}. While a model
 * is on its way to a node, or its engine is being started again, requests for it wait as well, a
 * bounded number for a bounded time. A request that nothing can take fails at once with {@code
 * NO_CAPACITY}.
 */
public final class Dispatcher implements FleetListener {
  private static final int MOST_WAITING = 1_000;

  private final Catalog catalog;
  private final Fleet fleet;
  private final Outlook outlook;
  private final InstantSource clock;
  private final CandidateBook candidates;
  private final AnswerLengths lengths = new AnswerLengths();
  private final PrefixIndex prefixes = new PrefixIndex();
  private final Loads loads;
  private final Prospects prospects;
  private final RoundTrips roundTrips;
  private final WaitingRooms rooms;
  private final DecisionLog decisions;
  private final Set<ActiveRequest> waiting = ConcurrentHashMap.newKeySet();
  private final RunningRequests running = new RunningRequests();
  private final RetryBudget retries;

  public Dispatcher(Catalog catalog, Fleet fleet, Outlook outlook, InstantSource clock) {
    this.catalog = catalog;
    this.fleet = fleet;
    this.outlook = outlook;
    this.clock = clock;
    this.candidates = new CandidateBook(fleet, prefixes::forget, outlook::loadSeconds, clock);
    this.loads = new Loads(outlook, candidates);
    this.prospects = new Prospects(catalog, fleet, outlook, loads);
    this.roundTrips = new RoundTrips(clock, candidates::roundTrip);
    this.decisions = new DecisionLog(clock);
    this.retries = new RetryBudget(nanos(clock.instant()));
    this.rooms =
        new WaitingRooms(
            (request, waits) -> place(request, Set.of(), waits),
            this::missed,
            loads::busy,
            this::expectedTokens,
            clock);
  }

  /** As below, for a caller that waits as long as it may. */
  public ActiveRequest submit(GenerationRequest request, GenerationSink sink) {
    return submit(request, Optional.empty(), sink);
  }

  /**
   * Starts a request.
   *
   * @param timeout after which it fails if its answer has not begun
   * @param sink gets exactly one last event, unless the request is cancelled
   */
  public ActiveRequest submit(
      GenerationRequest request, Optional<Duration> timeout, GenerationSink sink) {
    GenerationRequest marked =
        request.withMarks(
            PromptMarks.of(request.model(), request.tenant(), request.generation().prompt()));
    ActiveRequest active = new ActiveRequest(this, marked, timeout, loads.patient(sink, clock));
    if (catalog.find(request.model()).isEmpty()) {
      active.fail(
          new Failed(
              FailureCode.MODEL_NOT_FOUND,
              "the model '"
                  + ModelName.shown(request.model())
                  + "' does not exist; list the models with: cloister model list"));
    } else {
      retries.requested();
      rooms.enter(active, marked, active.deadline()).ifPresent(active::fail);
      rooms.callIn(request.model());
    }
    return active;
  }

  private int expectedTokens(GenerationRequest request) {
    return expectedAnswer(request)
        + candidates.promptTokens(request.model(), request.generation().prompt().characters());
  }

  private int expectedAnswer(GenerationRequest request) {
    return lengths.expected(request.tenant(), request.model(), request.generation().maxTokens());
  }

  /**
   * Chooses a node for a request that had its turn before, and counts it there.
   *
   * @param excludedNodes that are not to be tried again
   */
  Placed place(GenerationRequest request, Set<String> excludedNodes) {
    return place(request, excludedNodes, Wait.ANYWHERE);
  }

  private Placed place(GenerationRequest request, Set<String> excludedNodes, Wait waits) {
    Placed placed = choose(request, excludedNodes, waits);
    if (placed.work() != null) {
      int made = request.beginning().tokens().size();
      decisions.add(request.id(), request.model(), made, placed.decision());
    }
    return placed;
  }

  /** Whether some other node would take a request now. */
  boolean isPlaceable(GenerationRequest request, Set<String> excludedNodes) {
    @Nullable Work work = choose(request, excludedNodes, Wait.ANYWHERE).work();
    if (work != null) {
      candidates.ended(request.model(), work);
    }
    return work != null;
  }

  private Placed choose(GenerationRequest request, Set<String> excludedNodes, Wait waits) {
    String model = request.model();
    Eligibility eligibility = Eligibility.of(request, catalog);
    // Where no engine has all features, any one says best what it lacks; none of them can go on
    // with what another has begun.
    boolean onlyFull =
        !request.beginning().isEmpty()
            || (request.generation().needsFullEngine()
                && candidates.hasAllFeaturesSomewhere(model));
    boolean mayUseStages = prospects.mayUseStages(request, eligibility);
    int expected = Math.max(1, expectedAnswer(request) - request.beginning().tokens().size());
    Predicate<Candidate> allowed =
        candidate ->
            (candidate.host().allFeatures() || !onlyFull || !candidate.host().isLoaded())
                && !outlook.isLeaving(model, candidate.nodeId())
                && (mayUseStages || !candidate.host().staged())
                && !excludedNodes.contains(candidate.nodeId())
                && eligibility.isOpen(fleet, candidate.nodeId());
    Placed placed =
        candidates.place(
            model,
            request.generation().prompt().characters(),
            expected,
            waits,
            prefixes.find(request.marks()),
            allowed);
    loads.consider(model, placed.decision(), rooms.backlogSeconds(model));
    return placed;
  }

  /**
   * Has a request routed again when something changes, if there is hope that a node will take it.
   * What had its turn waits for no other.
   *
   * @return why it may not wait; empty if it does
   */
  Optional<Failed> await(ActiveRequest request, GenerationRequest rest, Decision decision) {
    if (decision.predictions().isEmpty()) {
      boolean hope =
          prospects.isComing(rest) || prospects.isWanted(rest) || request.lostNodesJustNow();
      return hope && waiting.size() < MOST_WAITING && await(request)
          ? Optional.empty()
          : Optional.of(prospects.noCapacity(rest, decision));
    }
    if (!request.hadItsTurn()) {
      return rooms.enter(request, rest, request.deadline());
    }
    rooms.comeBack(request, rest, request.deadline());
    return Optional.empty();
  }

  /** Has those that wait for a model and whose turn it is try again. */
  void callIn(String model) {
    rooms.callIn(model);
  }

  /** Notes that a request is over, and how many tokens it was served. */
  void leave(ActiveRequest request, String model, int tokens) {
    rooms.leave(request, model, tokens);
  }

  /** Tells that no node is free for a request. */
  void missed(GenerationRequest request) {
    outlook.missed(request.model(), Eligibility.of(request, catalog)::allows);
  }

  /** Has a request routed again within a moment. */
  boolean await(ActiveRequest request) {
    return waiting.add(request);
  }

  void forget(ActiveRequest request) {
    waiting.remove(request);
  }

  /** How many requests each node is at, by its id. */
  public Map<String, Integer> running() {
    return running.byNode();
  }

  Prospects prospects() {
    return prospects;
  }

  RunningRequests runningRequests() {
    return running;
  }

  /** Takes one of the retries that sick nodes may cause, of all requests; false if none is left. */
  boolean mayRetry() {
    return retries.retry(nanos(clock.instant()));
  }

  /** What the node may not see any more leaves it at once. */
  @Override
  public void relabeled(Node node) {
    running.leaveUnless(prospects::maySee);
  }

  /** Has answers go on elsewhere whose nodes have drained for long enough. */
  private void moveFromDrained() {
    Instant now = clock.instant();
    Map<String, Drain> drains = fleet.drains();
    drains.values().removeIf(drain -> !drain.isOver(now));
    if (!drains.isEmpty()) {
      running.leave(drains.keySet());
    }
  }

  @Override
  public void attached(Node node, NodeSession session, Capability capability) {
    candidates.update(node.id());
  }

  @Override
  public void changed(Set<String> nodeIds) {
    nodeIds.forEach(candidates::update);
    moveFromDrained();
    routeWaiting();
  }

  /**
   * Routes the waiting requests again. Called several times a second as well, for those that waited
   * long enough and for a change that came just before a request began to wait. Answers on nodes
   * that were drained until now are moved.
   */
  public void retry() {
    moveFromDrained();
    running.endLate();
    candidates.refresh();
    routeWaiting();
    loads.tell(rooms, waiting);
  }

  private void routeWaiting() {
    for (ActiveRequest request : List.copyOf(waiting)) {
      if (waiting.remove(request)) {
        request.route();
      }
    }
    rooms.callIn();
  }

  Optional<NodeSession> session(String nodeId) {
    return fleet.session(nodeId);
  }

  /** Whether a session is still its node's; it is no more once the node is lost. */
  boolean isOpen(String nodeId, NodeSession session) {
    return session(nodeId).filter(session::equals).isPresent();
  }

  Loads loads() {
    return loads;
  }

  CandidateBook candidates() {
    return candidates;
  }

  AnswerLengths lengths() {
    return lengths;
  }

  /** How long the way to nodes is. */
  public RoundTrips roundTrips() {
    return roundTrips;
  }

  /** Which nodes hold beginnings of prompts. */
  public PrefixIndex prefixes() {
    return prefixes;
  }

  /** Why requests went where they went. */
  public DecisionLog decisions() {
    return decisions;
  }

  InstantSource clock() {
    return clock;
  }

  static long nanos(Instant instant) {
    return instant.getEpochSecond() * 1_000_000_000 + instant.getNano();
  }
}
