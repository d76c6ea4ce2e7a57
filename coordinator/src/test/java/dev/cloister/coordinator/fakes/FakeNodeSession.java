package dev.cloister.coordinator.fakes;

import dev.cloister.coordinator.fleet.Assignment;
import dev.cloister.coordinator.fleet.NodeSession;
import dev.cloister.coordinator.inference.EngineSink;
import dev.cloister.coordinator.inference.Generation;
import dev.cloister.coordinator.inference.GenerationEvent;
import dev.cloister.coordinator.inference.GenerationRequest;
import dev.cloister.identity.ticket.Neighbour;
import dev.cloister.identity.ticket.PlanTicket;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** An agent that does what a test tells it. Thread-safe. */
public class FakeNodeSession implements NodeSession {
  private final Consumer<Start> script;
  private final List<Start> starts = new CopyOnWriteArrayList<>();
  private final List<String> cancelled = new CopyOnWriteArrayList<>();
  private final List<Assignment> served = new CopyOnWriteArrayList<>();
  private final List<String> dropped = new CopyOnWriteArrayList<>();
  private final List<PlanTicket> tickets = new CopyOnWriteArrayList<>();
  private final List<Measurement> measurements = new CopyOnWriteArrayList<>();
  private final Map<String, EngineSink> running = new ConcurrentHashMap<>();
  private volatile @Nullable String closedFor;

  /** Leaves every generation open. */
  public FakeNodeSession() {
    this(start -> {});
  }

  /**
   * @param script is run, on the caller's thread, for each generation
   */
  public FakeNodeSession(Consumer<Start> script) {
    this.script = script;
  }

  /** A generation that was asked for. */
  public record Start(FakeNodeSession session, GenerationRequest request) {

    public Generation generation() {
      return request.generation();
    }

    /** Sends an event with the tokens that made it, unless the generation is over. */
    public void send(GenerationEvent event, Integer... tokens) {
      boolean last =
          event instanceof GenerationEvent.Finished || event instanceof GenerationEvent.Failed;
      @Nullable EngineSink sink =
          last ? session.running.remove(request.id()) : session.running.get(request.id());
      if (sink != null) {
        sink.accept(event, List.of(tokens));
      }
    }

    public boolean isOver() {
      return !session.running.containsKey(request.id());
    }
  }

  @Override
  public void serve(Assignment assignment) {
    served.add(assignment);
  }

  @Override
  public void drop(String model) {
    dropped.add(model);
  }

  @Override
  public void connect(String model, PlanTicket ticket) {
    tickets.add(ticket);
  }

  /** A way that was to be measured; the coordinator's has no node. */
  public record Measurement(Optional<Neighbour> node, int payloadBytes) {}

  @Override
  public void measure(Neighbour node, int payloadBytes) {
    measurements.add(new Measurement(Optional.of(node), payloadBytes));
  }

  @Override
  public void measureToCoordinator(int payloadBytes) {
    measurements.add(new Measurement(Optional.empty(), payloadBytes));
  }

  @Override
  public boolean isAnswering() {
    return !running.isEmpty();
  }

  @Override
  public void start(GenerationRequest request, EngineSink sink) {
    if (closedFor != null) {
      sink.accept(lost(), List.of());
      return;
    }
    running.put(request.id(), sink);
    Start start = new Start(this, request);
    starts.add(start);
    script.accept(start);
  }

  @Override
  public void cancel(String requestId) {
    if (running.remove(requestId) != null) {
      cancelled.add(requestId);
    }
  }

  @Override
  public void close(String reason) {
    closedFor = reason;
    for (String requestId : List.copyOf(running.keySet())) {
      @Nullable EngineSink sink = running.remove(requestId);
      if (sink != null) {
        sink.accept(lost(), List.of());
      }
    }
  }

  public static GenerationEvent.Failed lost() {
    return new GenerationEvent.Failed(GenerationEvent.FailureCode.NODE_LOST, "the node was lost");
  }

  public List<Start> starts() {
    return starts;
  }

  public List<String> cancelled() {
    return cancelled;
  }

  public List<Assignment> served() {
    return served;
  }

  public List<String> dropped() {
    return dropped;
  }

  public List<PlanTicket> tickets() {
    return tickets;
  }

  public List<Measurement> measurements() {
    return measurements;
  }

  public Optional<String> closedFor() {
    return Optional.ofNullable(closedFor);
  }
}
