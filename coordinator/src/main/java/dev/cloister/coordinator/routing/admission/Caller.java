package dev.cloister.coordinator.routing.admission;

import java.util.Comparator;
import java.util.LinkedHashSet;

/** What a queue knows of one caller. Belongs to its queue. */
final class Caller<T> {
  /**
   * Whoever got less is next; of equal ones who asks for less, so that a crowd has no precedence.
   */
  static final Comparator<Caller<?>> TURNS =
      Comparator.<Caller<?>>comparingDouble(caller -> caller.start)
          .thenComparingInt(caller -> caller.waiting.size())
          .thenComparingLong(caller -> caller.number);

  final String name;
  final long number;
  final LinkedHashSet<Ticket<T>> waiting = new LinkedHashSet<>();

  /** Tokens by weight, on the queue's virtual clock, where what it is given next begins. */
  double start;

  /** Tickets that were served and not settled yet. */
  int unsettled;

  Caller(String name, long number) {
    this.name = name;
    this.number = number;
  }
}
