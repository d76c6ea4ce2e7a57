package dev.cloister.bench.simulation;

import dev.cloister.bench.simulation.PrefixCache.Told;
import dev.cloister.bench.simulation.SimulatedNode.Sequence;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.PriorityQueue;

/**
 * Requests, nodes and a policy in simulated time: events are taken in the order of their times, and
 * at one time in the order in which they were planned, so that a run depends on nothing but what
 * goes in. Messages take no time. A request that the policy places nowhere waits, first come first
 * served, until some answer is complete.
 */
public final class Simulation {
  private static final long TICK_NANOS = 1_000_000_000L;

  private final Policy policy;
  private final List<SimulatedNode> nodes = new ArrayList<>();
  private final Map<Integer, List<Request>> followers = new HashMap<>();
  private final Deque<Sequence> waiting = new ArrayDeque<>();
  private final List<Completion> completions = new ArrayList<>();
  private final int expected;

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

  private record Event(long nanos, long order, Runnable action) {}

  private Simulation(List<Member> fleet, List<Request> requests, Policy policy) {
    this.policy = policy;
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
    Simulation simulation = new Simulation(fleet, requests, policy);
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
    Sequence sequence = new Sequence(request, now);
    if (!waiting.isEmpty() || !place(sequence)) {
      waiting.addLast(sequence);
    }
  }

  private boolean place(Sequence sequence) {
    OptionalInt chosen = policy.place(sequence.request, now);
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
    while (ended && !waiting.isEmpty() && place(waiting.getFirst())) {
      waiting.removeFirst();
    }
  }

  private void end(Sequence sequence, SimulatedNode node) {
    Request request = sequence.request;
    policy.ended(request, node.index, now);
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
