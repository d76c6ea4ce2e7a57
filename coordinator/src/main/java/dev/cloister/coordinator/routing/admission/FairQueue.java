package dev.cloister.coordinator.routing.admission;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeSet;

/**
 * Requests for one model that wait for a node. Callers take turns by tokens: whoever got less, by
 * its weight, is next. What one caller has waiting is served as it came.
 *
 * <p>This is start-time fair queueing (Goyal, Vin, Cheng: Start-Time Fair Queueing, SIGCOMM 1996),
 * with tokens for bytes as in Sheng et al.: Fairness in Serving Large Language Models, OSDI 2024.
 * Each caller has a start on a virtual clock, which goes forward by {@code tokens / weight} with
 * each turn; the clock shows the latest start of a turn. A caller that comes back begins there at
 * the earliest: it has no credit for the time it was away. What it got beyond its share is
 * remembered until the others had as much, or nobody is served any more.
 *
 * <p>What cannot be served before its deadline, as fast as the queue empties, is not taken in: it
 * would make its caller wait for nothing, and be told so when it is too late to go elsewhere.
 *
 * <p>Tokens are expected ones at first; {@link #settle} corrects them. A ticket is served, given
 * back by {@link #expire}, or cancelled, never two of them. Not thread-safe.
 */
public final class FairQueue<T> {
  private final int mostWaiting;
  private final int mostPerCaller;

  private final Map<String, Caller<T>> callers = new HashMap<>();
  private final NavigableSet<Caller<T>> turns = new TreeSet<>(Caller.TURNS);

  /** Those that have nothing waiting or running, but got more than their share. */
  private final NavigableSet<Caller<T>> ahead = new TreeSet<>(Caller.TURNS);

  private final NavigableSet<Ticket<T>> waiting =
      new TreeSet<>(
          Comparator.<Ticket<T>>comparingLong(ticket -> ticket.claim.deadlineNanos())
              .thenComparingLong(ticket -> ticket.number));
  private final List<Ticket<T>> expired = new ArrayList<>();
  private final DrainRate rate = new DrainRate();

  private double virtualTime;
  private long waitingTokens;
  private int unsettled;
  private long numbers;

  /** Whether something that waits was not taken in its turn. */
  private boolean backlog;

  /** Takes what waits to be served, or leaves it; must not use the queue. */
  @FunctionalInterface
  public interface Taker<T> {
    /**
     * Takes an item or leaves it.
     *
     * @param othersWait whether some item was not taken in its turn and waits still
     */
    boolean takes(T item, boolean othersWait);
  }

  /**
   * An empty queue.
   *
   * @param mostWaiting tickets in all
   * @param mostPerCaller of them of one caller
   */
  public FairQueue(int mostWaiting, int mostPerCaller) {
    if (mostPerCaller < 1 || mostWaiting < mostPerCaller) {
      throw new IllegalArgumentException(
          "%d waiting, %d per caller (expected: 1 <= per caller <= waiting)"
              .formatted(mostWaiting, mostPerCaller));
    }
    this.mostWaiting = mostWaiting;
    this.mostPerCaller = mostPerCaller;
  }

  /** Has a claim wait, if there is room for it. */
  public Offer<T> offer(Claim<T> claim, long nanos) {
    comeTo(nanos);
    Caller<T> known = callers.get(claim.caller());
    if (known != null && known.waiting.size() >= mostPerCaller) {
      return new Offer.CallerFull<>(retryAfter(known, nanos));
    }
    if (waiting.size() >= mostWaiting) {
      return new Offer.QueueFull<>(retryAfter(nanos));
    }
    if (known != null && isTooLate(claim, known, nanos)) {
      return new Offer.TooLate<>(retryAfter(known, nanos));
    }
    Caller<T> caller = known == null ? new Caller<>(claim.caller(), ++numbers) : known;
    Ticket<T> ticket = new Ticket<>(claim, caller, ++numbers);
    callers.put(caller.name, caller);
    waiting.add(ticket);
    waitingTokens += claim.tokens();
    change(
        caller,
        () -> {
          if (caller.waiting.isEmpty()) {
            caller.start = Math.max(caller.start, virtualTime);
          }
          caller.waiting.add(ticket);
        });
    return new Offer.Waiting<>(ticket);
  }

  /**
   * Serves the ticket whose turn it is; of each caller the oldest. What is not taken keeps its
   * turn.
   *
   * @return empty if nothing waits, or nothing of it was taken
   */
  public Optional<Ticket<T>> poll(Taker<? super T> taker, long nanos) {
    comeTo(nanos);
    boolean hadToWait = backlog;
    Optional<Ticket<T>> taken = take(taker);
    if (taken.isEmpty() && !backlog && !waiting.isEmpty()) {
      backlog = true;
      taken = take(taker);
    }
    taken.ifPresent(
        ticket -> {
          serve(ticket);
          if (hadToWait) {
            rate.served(ticket.claim.tokens(), nanos);
          }
        });
    return taken;
  }

  private Optional<Ticket<T>> take(Taker<? super T> taker) {
    return turns.stream()
        .map(caller -> caller.waiting.getFirst())
        .filter(ticket -> taker.takes(ticket.item(), backlog))
        .findFirst();
  }

  private void serve(Ticket<T> ticket) {
    Caller<T> caller = ticket.caller;
    virtualTime = Math.max(virtualTime, caller.start);
    ticket.state = Ticket.State.SERVED;
    unsettled++;
    caller.unsettled++;
    remove(ticket, () -> caller.start += ticket.claim.tokens() / ticket.claim.weight());
    while (!ahead.isEmpty() && ahead.first().start <= virtualTime) {
      callers.remove(ahead.removeFirst().name);
    }
  }

  /**
   * Notes that a ticket that was served is over. Does nothing if it is settled, or was never
   * served.
   *
   * @param tokens that were served in truth, counted as those of the claim
   */
  public void settle(Ticket<T> ticket, int tokens) {
    if (ticket.state != Ticket.State.SERVED) {
      return;
    }
    Caller<T> caller = ticket.caller;
    ticket.state = Ticket.State.OVER;
    unsettled--;
    change(
        caller,
        () -> {
          caller.unsettled--;
          caller.start += ((double) tokens - ticket.claim.tokens()) / ticket.claim.weight();
        });
    startOverIfIdle();
  }

  /** Has a ticket wait no longer; false if it does not wait any more. */
  public boolean cancel(Ticket<T> ticket, long nanos) {
    comeTo(nanos);
    if (ticket.state != Ticket.State.WAITING) {
      return false;
    }
    drop(ticket);
    rate.cancelled(ticket.claim.tokens());
    return true;
  }

  /** The tickets whose deadline has passed while they waited. Each is given back once. */
  public List<Ticket<T>> expire(long nanos) {
    comeTo(nanos);
    List<Ticket<T>> given = List.copyOf(expired);
    expired.clear();
    return given;
  }

  /** How many tickets wait. */
  public int size() {
    return waiting.size();
  }

  /**
   * Until all that waits now is served, as fast as the queue emptied lately, or has passed its
   * deadline: for {@code Retry-After} (RFC 9110, 10.2.3), in whole seconds, at least one.
   */
  public Duration retryAfter(long nanos) {
    return after((double) waitingTokens, waiting, nanos);
  }

  /** The same for what a caller has waiting. */
  private Duration retryAfter(Caller<T> caller, long nanos) {
    return after(tokensUntilServed(caller), caller.waiting, nanos);
  }

  /** Tokens that leave until all is served that a caller has waiting, by turns with the others. */
  private double tokensUntilServed(Caller<T> caller) {
    if (caller.waiting.isEmpty()) {
      return 0;
    }
    double tokens = caller.waiting.stream().mapToDouble(ticket -> ticket.claim.tokens()).sum();
    double weights = turns.stream().mapToDouble(FairQueue::weight).sum();
    return Math.min((double) waitingTokens, tokens * weights / weight(caller));
  }

  /** Whether its caller has so much waiting before it that its turn comes after its deadline. */
  private boolean isTooLate(Claim<T> claim, Caller<T> caller, long nanos) {
    return backlog
        && rate.isSure()
        && rate.seconds(tokensUntilServed(caller)) > (claim.deadlineNanos() - nanos) / 1e9;
  }

  private static double weight(Caller<?> caller) {
    return caller.waiting.getFirst().claim.weight();
  }

  private Duration after(double tokens, Collection<Ticket<T>> tickets, long nanos) {
    long last =
        tickets.stream().mapToLong(ticket -> ticket.claim.deadlineNanos()).max().orElse(nanos);
    double seconds = Math.min(rate.seconds(tokens), (last - nanos) / 1e9);
    return Duration.ofSeconds(Math.max(1, (long) Math.ceil(seconds)));
  }

  private void comeTo(long nanos) {
    if (!backlog) {
      rate.calm();
    }
    while (!waiting.isEmpty() && waiting.first().claim.deadlineNanos() <= nanos) {
      Ticket<T> late = waiting.first();
      expired.add(late);
      drop(late);
    }
  }

  private void drop(Ticket<T> ticket) {
    ticket.state = Ticket.State.OVER;
    remove(ticket, () -> {});
    startOverIfIdle();
  }

  private void remove(Ticket<T> ticket, Runnable charge) {
    waiting.remove(ticket);
    backlog &= !waiting.isEmpty();
    waitingTokens -= ticket.claim.tokens();
    change(
        ticket.caller,
        () -> {
          ticket.caller.waiting.remove(ticket);
          charge.run();
        });
  }

  /** What orders a caller changes only while it is in none of the orders. */
  private void change(Caller<T> caller, Runnable change) {
    turns.remove(caller);
    ahead.remove(caller);
    change.run();
    if (!caller.waiting.isEmpty()) {
      turns.add(caller);
    } else if (caller.unsettled == 0) {
      if (caller.start > virtualTime) {
        ahead.add(caller);
      } else {
        callers.remove(caller.name);
      }
    }
  }

  /** When nobody is served, nobody lives at the cost of another, and who got what is forgotten. */
  private void startOverIfIdle() {
    if (waiting.isEmpty() && unsettled == 0) {
      callers.clear();
      ahead.clear();
      virtualTime = 0;
    }
  }
}
