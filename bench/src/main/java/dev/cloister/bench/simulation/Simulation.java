package dev.cloister.bench.simulation;

import dev.cloister.bench.simulation.PrefixCache.Told;
import dev.cloister.bench.simulation.SimulatedNode.Sequence;
import dev.cloister.coordinator.routing.admission.Claim;
import dev.cloister.coordinator.routing.admission.FairQueue;
import dev.cloister.coordinator.routing.admission.Offer;
import dev.cloister.coordinator.routing.admission.Ticket;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.PriorityQueue;

/**
 * Requests, nodes and a policy in simulated time: events are taken in the order of their times, and
 * at one time in the order in which they were planned, so that a run depends on nothing but what
 * goes in. Messages take no time. A request that the policy places nowhere waits in the
 * coordinator's own queue until it is its turn and some answer is complete.
 */
public final class Simulation {
  private static final long TICK_NANOS = 1_000_000_000L;

  private final Policy policy;
  private final List<SimulatedNode> nodes = new ArrayList<>();
  private final Map<Integer, List<Request>> followers = new HashMap<>();
  private final Admission admission;
  private final FairQueue<Sequence> waiting;
  private final Map<Integer, Ticket<Sequence>> tickets = new HashMap<>();
  private final List<Completion> completions = new ArrayList<>();
  private int expected;

  private final PriorityQueue<Event> events =
      new PriorityQueue<>(Comparator.comparingLong(Event::nanos).thenComparingLong(Event::order));

  private long planned;
  private long now;

  /**
   * A node of the fleet.
   *
   * @param loaded whether it has the model from the beginning
   */
  public record Member(NodeKind kind, boolean loaded) {}

  /**
   * Who may wait for a node.
   *
   * @param most requests in all
   * @param mostPerCaller of them of one caller
   * @param longestNanos after which a request is refused
   */
  public record Admission(int most, int mostPerCaller, long longestNanos) {
    /** Everybody, for as long as it takes. */
    public static final Admission ALL =
        new Admission(Integer.MAX_VALUE, Integer.MAX_VALUE, Long.MAX_VALUE / 2);

    /** As the coordinator has it. */
    public static final Admission BOUNDED = new Admission(1_000, 500, 30_000_000_000L);
  }

  private record Event(long nanos, long order, Runnable action) {}

  private Simulation(
      List<Member> fleet, List<Request> requests, Policy policy, Admission admission) {
    this.policy = policy;
    this.admission = admission;
    this.waiting = new FairQueue<>(admission.most, admission.mostPerCaller);
    this.expected = requests.size();
    for (Member member : fleet) {
      nodes.add(new SimulatedNode(nodes.size(), member.kind(), member.loaded()));
    }
    for (Request request : requests) {
      if (request.after() == Request.NONE) {
        plan(request.nanos(), () -> arrive(request));
      } else {
        followers.computeIfAbsent(request.after(), before -> new ArrayList<>()).add(request);
      }
    }
  }

  /**
   * Runs until all requests are answered.
   *
   * @param policy a new one, since it remembers what it saw
   * @return what became of each request, in the order of their ends
   * @throws IllegalStateException if some request is never answered
   */
  public static List<Completion> run(List<Member> fleet, List<Request> requests, Policy policy) {
    return run(fleet, requests, policy, Admission.ALL);
  }

  /**
   * The same until all requests are answered or refused; of those that are refused, and of what
   * would have followed them, nothing is told.
   */
  public static List<Completion> run(
      List<Member> fleet, List<Request> requests, Policy policy, Admission admission) {
    Simulation simulation = new Simulation(fleet, requests, policy, admission);
    simulation.run();
    return simulation.completions;
  }

  private void run() {
    nodes.forEach(this::tellNode);
    plan(0, this::tick);
    while (completions.size() < expected) {
      Event event = events.remove();
      now = event.nanos;
      event.action.run();
    }
  }

  private void plan(long nanos, Runnable action) {
    events.add(new Event(nanos, planned++, action));
  }

  private void arrive(Request request) {
    Claim<Sequence> claim =
        new Claim<>(
            request.caller(),
            1,
            policy.expectedTokens(request),
            now + admission.longestNanos,
            new Sequence(request, now));
    switch (waiting.offer(claim, now)) {
      case Offer.Waiting<Sequence>(Ticket<Sequence> ticket) -> {
        tickets.put(request.id(), ticket);
        callIn();
      }
      case Offer.CallerFull<Sequence> _, Offer.QueueFull<Sequence> _, Offer.TooLate<Sequence> _ ->
          refuse(request);
    }
  }

  private void refuse(Request request) {
    expected--;
    followers.getOrDefault(request.id(), List.of()).forEach(this::refuse);
  }

  /** Places those whose turn it is, as far as there is room. */
  private void callIn() {
    for (Ticket<Sequence> late : waiting.expire(now)) {
      tickets.remove(late.item().request.id());
      refuse(late.item().request);
    }
    while (waiting.poll(this::place, now).isPresent()) {
      // The next one.
    }
  }

  private boolean place(Sequence sequence, boolean othersWait) {
    OptionalInt chosen = policy.place(sequence.request, othersWait, now);
    policy.toLoad().ifPresent(node -> load(nodes.get(node)));
    if (chosen.isEmpty()) {
      return false;
    }
    SimulatedNode node = nodes.get(chosen.getAsInt());
    node.add(sequence);
    wake(node);
    return true;
  }

  private void wake(SimulatedNode node) {
    if (!node.loaded) {
      load(node);
    } else if (!node.stepping && !node.isIdle()) {
      for (Sequence sequence : node.start()) {
        policy.started(sequence.request, sequence.cachedTokens, now);
      }
      node.stepping = true;
      plan(now + nanos(node.beginStep()), () -> endStep(node));
    }
  }

  private void load(SimulatedNode node) {
    if (node.loadedNanos == 0) {
      node.loadedNanos = now + nanos(node.kind.loadSeconds());
      policy.loading(node.index, now);
      plan(
          node.loadedNanos,
          () -> {
            node.loaded = true;
            tellNode(node);
            wake(node);
            callIn();
          });
    }
  }

  private void tellNode(SimulatedNode node) {
    OptionalDouble load =
        node.loaded
            ? OptionalDouble.empty()
            : OptionalDouble.of(
                node.loadedNanos == 0 ? node.kind.loadSeconds() : (node.loadedNanos - now) * 1e-9);
    policy.node(node.index, node.kind, load, now);
  }

  private void endStep(SimulatedNode node) {
    node.stepping = false;
    boolean ended = false;
    for (Sequence sequence : node.endStep()) {
      policy.made(sequence.request, now);
      if (sequence.made == 1) {
        sequence.firstTokenNanos = now;
      }
      if (sequence.isComplete()) {
        end(sequence, node);
        ended = true;
      }
    }
    if (ended) {
      tellPrefixes(node);
    }
    wake(node);
    if (ended) {
      callIn();
    }
  }

  private void end(Sequence sequence, SimulatedNode node) {
    Request request = sequence.request;
    policy.ended(request, node.index, now);
    waiting.settle(
        Objects.requireNonNull(tickets.remove(request.id())),
        request.prompt().tokens() - sequence.cachedTokens + request.answerTokens());
    completions.add(
        new Completion(
            request,
            node.index,
            sequence.cachedTokens,
            sequence.arrivedNanos,
            sequence.firstTokenNanos,
            now));
    for (Request next : followers.getOrDefault(request.id(), List.of())) {
      plan(now + next.nanos(), () -> arrive(next));
    }
  }

  private void tellPrefixes(SimulatedNode node) {
    Told told = node.cache.tell();
    if (!told.isEmpty()) {
      policy.told(node.index, told.held(), told.tokens(), told.dropped());
    }
  }

  /** What a coordinator looks at now and then, and what nodes report each second. */
  private void tick() {
    for (SimulatedNode node : nodes) {
      tellPrefixes(node);
      if (node.loadedNanos > now) {
        tellNode(node);
      }
    }
    policy.tick(now);
    callIn();
    if (events.isEmpty()) {
      throw new IllegalStateException(
          "%d of %d requests are answered, and nothing is to come"
              .formatted(completions.size(), expected));
    }
    plan(now + TICK_NANOS, this::tick);
  }

  private static long nanos(double seconds) {
    return Math.round(seconds * 1e9);
  }
}
