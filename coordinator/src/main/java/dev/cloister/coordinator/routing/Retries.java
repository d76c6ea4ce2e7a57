package dev.cloister.coordinator.routing;

import dev.cloister.coordinator.routing.admission.RetryBudget;
import java.time.Instant;
import java.time.InstantSource;

/**
 * How often requests are tried again because of sick nodes, all of them together. What moves
 * because its node is gone, or drained, needs no leave. Thread-safe.
 */
final class Retries {
  private final InstantSource clock;
  private final RetryBudget budget;

  Retries(InstantSource clock) {
    this.clock = clock;
    this.budget = new RetryBudget(nanos());
  }

  /** Notes a new request. */
  synchronized void requested() {
    budget.requested();
  }

  /** Takes one retry; false if there is none, and the failure is to be told. */
  synchronized boolean take() {
    return budget.retry(nanos());
  }

  private long nanos() {
    Instant now = clock.instant();
    return now.getEpochSecond() * 1_000_000_000 + now.getNano();
  }
}
