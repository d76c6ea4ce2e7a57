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
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where requests wait until it is their turn and a node is not full: a {@link FairQueue} for each
 * model. Every new request passes through, so that none overtakes those that wait. Thread-safe;
 * nothing here blocks.
 */
final class WaitingRooms {
  private static final Logger log = LoggerFactory.getLogger(WaitingRooms.class);

  private static final int MOST_WAITING = 1_000;
  private static final int MOST_OF_A_CALLER = 500;

  /** No caller is told from another yet. */
  private static final double WEIGHT = 1;

  /** What a character of a prompt is assumed to be worth, until its tokens are known. */
  private static final double TOKENS_PER_CHARACTER = 0.3;

  private final Function<GenerationRequest, Placed> place;
  private final Consumer<GenerationRequest> missed;
  private final UnaryOperator<String> busy;
  private final AnswerLengths lengths;
  private final InstantSource clock;
  private final Map<String, Room> rooms = new ConcurrentHashMap<>();

  /**
   * @param place finds a place for a request and counts it there
   * @param missed is told of requests whose turn it is while all nodes are full
   * @param busy tells why requests for a model wait
   */
  WaitingRooms(
      Function<GenerationRequest, Placed> place,
      Consumer<GenerationRequest> missed,
      UnaryOperator<String> busy,
      AnswerLengths lengths,
      InstantSource clock) {
    this.place = place;
    this.missed = missed;
    this.busy = busy;
    this.lengths = lengths;
    this.clock = clock;
  }

  /**
   * @param round of calls that was the first to ask for it
   */
  private record Entry(ActiveRequest active, GenerationRequest request, long round) {}

  /**
   * @param waited whether there were nodes to wait for
   */
  private record Call(ActiveRequest active, Placed placed, boolean waited) {}

  /** The requests for one model. */
  private final class Room {
    final FairQueue<Entry> queue = new FairQueue<>(MOST_WAITING, MOST_OF_A_CALLER);
    final Map<ActiveRequest, Ticket<Entry>> tickets = new HashMap<>();

    /** How often it was asked to call in since it last had nobody to call. */
    final AtomicInteger asked = new AtomicInteger();

    /** How often all that were left had to wait. */
    private long rounds;

    /** Whether those that have to wait do so though nodes have the model. */
    private boolean isLoaded;

    /** Since when they always do; null while they do not. */
    private volatile @Nullable Instant backlogSince;

    synchronized Offer<Entry> enter(
        ActiveRequest active, GenerationRequest request, int tokens, Instant deadline) {
      leave(active, 0);
      Claim<Entry> claim =
          new Claim<>(
              request.tenant().name(),
              WEIGHT,
              tokens,
              nanos(deadline),
              new Entry(active, request, rounds));
      Offer<Entry> offer = queue.offer(claim, nanos(clock.instant()));
      if (offer instanceof Offer.Waiting<Entry>(Ticket<Entry> ticket)) {
        tickets.put(active, ticket);
      }
      return offer;
    }

    synchronized void leave(ActiveRequest active, int tokens) {
      @Nullable Ticket<Entry> ticket = tickets.remove(active);
      if (ticket != null && !queue.cancel(ticket, nanos(clock.instant()))) {
        queue.settle(ticket, tokens);
      }
    }

    /**
     * Serves the one whose turn it is, if there is a place for it, or none to wait for.
     *
     * @param full gets those that have to wait for a place
     */
    synchronized Optional<Call> next(List<GenerationRequest> full) {
      AtomicReference<Placed> last = new AtomicReference<>(Placed.NOWHERE);
      return queue
          .poll(
              entry -> {
                Placed placed = place.apply(entry.request());
                last.set(placed);
                boolean waits = placed.work() == null && !placed.decision().predictions().isEmpty();
                if (waits) {
                  full.add(entry.request());
                  isLoaded = placed.decision().hasLoaded();
                }
                return !waits;
              },
              nanos(clock.instant()))
          .map(ticket -> call(ticket.item(), last.get()));
    }

    private Call call(Entry entry, Placed placed) {
      return new Call(entry.active(), placed, entry.round() < rounds);
    }

    synchronized void othersWait() {
      rounds++;
      if (queue.size() == 0 || !isLoaded) {
        backlogSince = null;
      } else if (backlogSince == null) {
        backlogSince = clock.instant();
      }
    }

    synchronized List<ActiveRequest> requests() {
      return List.copyOf(tickets.keySet());
    }

    synchronized List<Ticket<Entry>> expired() {
      return queue.expire(nanos(clock.instant()));
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
    int tokens =
        lengths.expected(request.tenant(), model, request.generation().maxTokens())
            + (int) (request.generation().prompt().characters() * TOKENS_PER_CHARACTER);
    Room room = rooms.computeIfAbsent(model, name -> new Room());
    return switch (room.enter(active, request, Math.max(1, tokens), deadline)) {
      case Offer.Waiting<Entry> _ -> Optional.empty();
      case Offer.CallerFull<Entry>(Duration retryAfter) ->
          Optional.of(
              new Failed(
                  FailureCode.TOO_MANY_REQUESTS,
                  "you have %d requests for '%s' waiting, as many as one caller may; try again in %d s"
                      .formatted(MOST_OF_A_CALLER, model, retryAfter.toSeconds()),
                  Optional.of(retryAfter)));
      case Offer.QueueFull<Entry>(Duration retryAfter) -> Optional.of(full(model, retryAfter));
    };
  }

  private Failed full(String model, Duration retryAfter) {
    return new Failed(
        FailureCode.NO_CAPACITY,
        "%s; try again in %d s".formatted(busy.apply(model), retryAfter.toSeconds()),
        Optional.of(retryAfter));
  }

  /**
   * Notes that a request does not wait any more, or is over.
   *
   * @param tokens it was served
   */
  void leave(ActiveRequest active, String model, int tokens) {
    @Nullable Room room = rooms.get(model);
    if (room != null) {
      room.leave(active, tokens);
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
    for (Ticket<Entry> late : room.expired()) {
      late.item().active().fail(full(model, room.retryAfter()));
    }
    while (true) {
      List<GenerationRequest> full = new ArrayList<>();
      Optional<Call> next = room.next(full);
      full.forEach(missed);
      if (next.isEmpty()) {
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
