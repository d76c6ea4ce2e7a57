package dev.cloister.coordinator.routing.admission;

import java.time.Duration;

/**
 * Whether a node is left out because it failed, request after request. After a pause it is given
 * one request, and with each success twice as many at once, until it is back; a failure on the way
 * ejects it again, for a pause twice as long. Pauses are short again once it did well for a while.
 *
 * <p>This is Envoy's outlier detection by consecutive failures, with its default of five of them
 * (envoyproxy.io, Outlier detection), and the half-open state of a circuit breaker (Nygard: Release
 * It!) for the return. Not thread-safe.
 */
public final class Ejection {
  private static final int MOST_FAILURES = 5;

  /** A node that was given so many requests at once is back. */
  private static final int ENOUGH = 16;

  private static final Duration SHORTEST = Duration.ofSeconds(2);
  private static final Duration LONGEST = Duration.ofSeconds(60);
  private static final long FORGIVEN_NANOS = Duration.ofMinutes(10).toNanos();

  private final long shortestNanos;
  private final long longestNanos;

  private int failures;
  private int pauses;
  private long untilNanos = Long.MIN_VALUE;
  private int most = Integer.MAX_VALUE;

  /** A node that did not fail yet; its first pause takes two seconds, none more than a minute. */
  public Ejection() {
    this(SHORTEST, LONGEST);
  }

  /** A node that did not fail yet; pauses are as long as told. */
  public Ejection(Duration shortest, Duration longest) {
    if (!shortest.isPositive() || longest.compareTo(shortest) < 0) {
      throw new IllegalArgumentException(
          "pauses from %s to %s (expected: 0 < shortest <= longest)".formatted(shortest, longest));
    }
    this.shortestNanos = shortest.toNanos();
    this.longestNanos = longest.toNanos();
  }

  /** Requests the node may have at once, as far as failures go; 0 while it is ejected. */
  public int most(long nanos) {
    return isEjected(nanos) ? 0 : most;
  }

  /** Notes that the node, and not the request, made a request fail. */
  public void failed(long nanos) {
    // It was sent before the node was ejected.
    if (isEjected(nanos)) {
      return;
    }
    failures++;
    if (failures >= MOST_FAILURES || most < Integer.MAX_VALUE) {
      eject(nanos);
    }
  }

  private void eject(long nanos) {
    if (pauses > 0 && nanos - untilNanos >= FORGIVEN_NANOS) {
      pauses = 0;
    }
    double pause = Math.scalb((double) shortestNanos, pauses);
    untilNanos = nanos + (pause < longestNanos ? (long) pause : longestNanos);
    pauses++;
    failures = 0;
    most = 1;
  }

  /** Notes that the node answered a request. */
  public void succeeded(long nanos) {
    if (isEjected(nanos)) {
      return;
    }
    failures = 0;
    most = most >= ENOUGH ? Integer.MAX_VALUE : 2 * most;
  }

  /** Ends a pause before its time: the node is given one request first, as after any pause. */
  public void letBack(long nanos) {
    untilNanos = Math.min(untilNanos, nanos);
  }

  /** When the latest pause ends, or ended. */
  public long untilNanos() {
    return untilNanos;
  }

  private boolean isEjected(long nanos) {
    return nanos < untilNanos;
  }
}
