package dev.cloister.coordinator.routing;

import static dev.cloister.coordinator.routing.Dispatcher.nanos;

import dev.cloister.coordinator.inference.GenerationEvent.Failed;
import dev.cloister.coordinator.inference.GenerationEvent.FailureCode;
import dev.cloister.coordinator.inference.GenerationRequest;
import dev.cloister.coordinator.routing.CandidateBook.Placed;
import dev.cloister.coordinator.routing.admission.Claim;
import dev.cloister.coordinator.routing.admission.FairQueue;
import dev.cloister.coordinator.routing.admission.Offer;
import dev.cloister.coordinator.routing.admission.Ticket;
import dev.cloister.coordinator.routing.choice.Ask.Wait;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where requests wait until it is their turn and a node is not full: a {@link FairQueue} for each
 * model. Every new request passes through, so that none overtakes those that wait. What had its
 * turn already and lost its node goes before all of them. Thread-safe; nothing here blocks.
 */
final class WaitingRooms {
  private static final Logger log = LoggerFactory.getLogger(WaitingRooms.class);

  private static final int MOST_WAITING = 1_000;
  private static final int MOST_OF_A_CALLER = 500;

  private final BiFunction<GenerationRequest, Wait, Placed> place;
  private final Consumer<GenerationRequest> missed;
  private final UnaryOperator<String> busy;
  private final ToIntFunction<GenerationRequest> tokens;
  private final InstantSource clock;
  private final Map<String, Room> rooms = new ConcurrentHashMap<>();

  /**
   * @param place finds a place for a request and counts it there
   * @param missed is told of requests whose turn it is while all nodes are full
   * @param busy tells why requests for a model wait
   * @param tokens that a request is expected to be served, of its prompt and its answer
   */
  WaitingRooms(
      BiFunction<GenerationRequest, Wait, Placed> place,
      Consumer<GenerationRequest> missed,
      UnaryOperator<String> busy,
      ToIntFunction<GenerationRequest> tokens,
      InstantSource clock) {
    this.place = place;
    this.missed = missed;
    this.busy = busy;
    this.tokens = tokens;
    this.clock = clock;
  }

  /**
   * @param deadlineNanos until when it waits
   * @param round of calls that was the first to ask for it
   */
  private record Entry(
      ActiveRequest active, GenerationRequest request, long deadlineNanos, long round) {}

  /**
   * @param waited whether there were nodes to wait for
   */
  private record Call(ActiveRequest active, Placed placed, boolean waited) {}

  /** The requests for one model. */
  private final class Room {
    final FairQueue<Entry> queue = new FairQueue<>(MOST_WAITING, MOST_OF_A_CALLER);
    final Map<ActiveRequest, Ticket<Entry>> tickets = new HashMap<>();

    /** Those that had their turn, in the order in which they came back. */
    final Map<ActiveRequest, Entry> back = new LinkedHashMap<>();

    /** How often it was asked to call in since it last had nobody to call. */
    final AtomicInteger asked = new AtomicInteger();

    /** How often all that were left had to wait. */
    private long rounds;

    /** Whether those that have to wait do so though nodes have the model. */
    private boolean isLoaded;

    /** Since when they always do; null while they do not. */
    private volatile @Nullable Instant backlogSince;

    synchronized Offer<Entry> enter(
        ActiveRequest active, GenerationRequest request, int expected, Instant deadline) {
      leave(active, 0);
      Entry entry = new Entry(active, request, nanos(deadline), rounds);
      Claim<Entry> claim =
          new Claim<>(
              request.tenant().name(),
              request.tenant().weight(),
              expected,
              entry.deadlineNanos(),
              entry);
      Offer<Entry> offer = queue.offer(claim, nanos(clock.instant()));
      if (offer instanceof Offer.Waiting<Entry>(Ticket<Entry> ticket)) {
        tickets.put(active, ticket);
      }
      return offer;
    }

    synchronized void comeBack(ActiveRequest active, GenerationRequest request, Instant deadline) {
      back.put(active, new Entry(active, request, nanos(deadline), rounds));
    }

    synchronized void leave(ActiveRequest active, int served) {
      back.remove(active);
      @Nullable Ticket<Entry> ticket = tickets.remove(active);
      if (ticket != null && !queue.cancel(ticket, nanos(clock.instant()))) {
        queue.settle(ticket, served);
      }
    }

    /**
     * Serves the one whose turn it is, if there is a place for it, or none to wait for.
     *
     * @param full gets those that have to wait for a place
     */
    synchronized Optional<Call> next(List<GenerationRequest> full) {
      for (Entry entry : back.values()) {
        Placed placed = place(entry, Wait.ANYWHERE, full);
        if (!placed.hasToWait()) {
          back.remove(entry.active());
          return Optional.of(call(entry, placed));
        }
      }
      AtomicReference<Placed> last = new AtomicReference<>(Placed.NOWHERE);
      return queue
          .poll(
              (entry, othersWait) -> {
                boolean alone = !othersWait && back.isEmpty();
                last.set(place(entry, alone ? Wait.FOR_THE_BEST : Wait.BRIEFLY, full));
                return !last.get().hasToWait();
              },
              nanos(clock.instant()))
          .map(ticket -> call(ticket.item(), last.get()));
    }

    private Placed place(Entry entry, Wait waits, List<GenerationRequest> full) {
      Placed placed = place.apply(entry.request(), waits);
      if (placed.hasToWait()) {
        full.add(entry.request());
        isLoaded = placed.decision().hasLoaded();
      }
      return placed;
    }

    private Call call(Entry entry, Placed placed) {
      return new Call(entry.active(), placed, entry.round() < rounds);
    }

    synchronized void othersWait() {
      rounds++;
      if ((queue.size() == 0 && back.isEmpty()) || !isLoaded) {
        backlogSince = null;
      } else if (backlogSince == null) {
        backlogSince = clock.instant();
      }
    }

    synchronized List<ActiveRequest> requests() {
      return List.copyOf(tickets.keySet());
    }

    synchronized List<Entry> expired() {
      long now = nanos(clock.instant());
      List<Entry> late = new ArrayList<>();
      queue.expire(now).forEach(ticket -> late.add(ticket.item()));
      back.values().stream().filter(entry -> entry.deadlineNanos() <= now).forEach(late::add);
      late.forEach(entry -> back.remove(entry.active()));
      return late;
    }

    synchronized Duration retryAfter() {
      return queue.retryAfter(nanos(clock.instant()));
    }
  }

  /**
   * Has a request wait for its turn.
   *
   * @return why it may not; empty if it does
   */
  Optional<Failed> enter(ActiveRequest active, GenerationRequest request, Instant deadline) {
    String model = request.model();
    Room room = rooms.computeIfAbsent(model, name -> new Room());
    int expected = Math.max(1, tokens.applyAsInt(request));
    return switch (room.enter(active, request, expected, deadline)) {
      case Offer.Waiting<Entry> _ -> Optional.empty();
      case Offer.CallerFull<Entry>(Duration retryAfter) ->
          Optional.of(
              new Failed(
                  FailureCode.TOO_MANY_REQUESTS,
                  "you have %d requests for '%s' waiting, as many as one caller may; try again in %d s"
                      .formatted(MOST_OF_A_CALLER, model, retryAfter.toSeconds()),
                  retryAfter));
      case Offer.QueueFull<Entry>(Duration retryAfter) -> Optional.of(full(model, retryAfter));
      case Offer.TooLate<Entry>(Duration retryAfter) -> Optional.of(full(model, retryAfter));
    };
  }

  /**
   * Has a request wait before all that wait for their turn, as it had it: the node is lost that it
   * was given.
   */
  void comeBack(ActiveRequest active, GenerationRequest rest, Instant deadline) {
    rooms.computeIfAbsent(rest.model(), name -> new Room()).comeBack(active, rest, deadline);
  }

  private Failed full(String model, Duration retryAfter) {
    return new Failed(
        FailureCode.NO_CAPACITY,
        "%s; try again in %d s".formatted(busy.apply(model), retryAfter.toSeconds()),
        retryAfter);
  }

  /**
   * Notes that a request does not wait any more, or is over.
   *
   * @param served tokens
   */
  void leave(ActiveRequest active, String model, int served) {
    @Nullable Room room = rooms.get(model);
    if (room != null) {
      room.leave(active, served);
    }
  }

  /**
   * For how long there was always a request for the model that had to wait for nodes that have it.
   * Takes no lock.
   */
  double backlogSeconds(String model) {
    @Nullable Room room = rooms.get(model);
    @Nullable Instant since = room == null ? null : room.backlogSince;
    return since == null ? 0 : Duration.between(since, clock.instant()).toMillis() * 1e-3;
  }

  /** The requests for a model that wait, or waited and are not over. */
  List<ActiveRequest> requests(String model) {
    @Nullable Room room = rooms.get(model);
    return room == null ? List.of() : room.requests();
  }

  /** Ends those in all rooms that waited too long, and routes those whose turn it is. */
  void callIn() {
    rooms.keySet().forEach(this::callIn);
  }

  /**
   * The same for one model. Called when a place may have become free; by whatever thread, one after
   * the other, as what starts may end at once and free a place again.
   */
  void callIn(String model) {
    @Nullable Room room = rooms.get(model);
    if (room == null || room.asked.getAndIncrement() > 0) {
      return;
    }
    int answered;
    do {
      answered = room.asked.get();
      callIn(model, room);
    } while (!room.asked.compareAndSet(answered, 0));
  }

  private void callIn(String model, Room room) {
    for (Entry late : room.expired()) {
      late.active().fail(full(model, room.retryAfter()));
    }
    while (true) {
      List<GenerationRequest> full = new ArrayList<>();
      Optional<Call> next = room.next(full);
      if (next.isEmpty()) {
        full.forEach(missed);
        room.othersWait();
        return;
      }
      route(next.get());
    }
  }

  private static void route(Call call) {
    try {
      if (call.waited() && call.placed().work() == null) {
        call.active().lostAll();
      }
      call.active().route(call.placed());
    } catch (RuntimeException e) {
      // It would keep all others waiting for good.
      log.error("request {} cannot be started", call.active().id(), e);
    }
  }
}
