package dev.cloister.coordinator.routing.admission;

/**
 * How often failed requests are tried again: each request earns a part of a retry, and each second
 * some, up to a bound. So retries never multiply the load of a cluster that fails as a whole, and a
 * quiet one can retry all the same.
 *
 * <p>The budget is Finagle's {@code RetryBudget} with its defaults (twitter.github.io/finagle);
 * what is saved is bounded, instead of expiring after ten seconds. Thread-safe.
 */
public final class RetryBudget {
  private static final double PER_REQUEST = 0.2;
  private static final double PER_SECOND = 10;
  private static final double MOST = 100;

  private double retries = MOST;
  private long lastNanos;

  /** A full budget. */
  public RetryBudget(long nanos) {
    this.lastNanos = nanos;
  }

  /** Notes a request that is tried for the first time. */
  public synchronized void requested() {
    add(PER_REQUEST);
  }

  /** Takes one retry out; false if there is none, and the failure is to be told. */
  public synchronized boolean retry(long nanos) {
    add(PER_SECOND * Math.max(0, nanos - lastNanos) * 1e-9);
    lastNanos = Math.max(lastNanos, nanos);
    if (retries < 1) {
      return false;
    }
    retries--;
    return true;
  }

  private void add(double earned) {
    retries = Math.min(MOST, retries + earned);
  }
}
