package dev.cloister.coordinator.routing.admission;

/**
 * How fast a queue empties: tokens that left it to be served, by the time in which something
 * waited. Both fade, so that the last half minute counts.
 */
final class DrainRate {
  private static final double MEMORY_SECONDS = 30;

  private double tokens;
  private double seconds;
  private long lastNanos;

  /**
   * Lets time pass.
   *
   * @param waited whether anything waited since the last call
   */
  void passed(boolean waited, long nanos) {
    if (waited) {
      double kept = Math.exp(-Math.max(0, nanos - lastNanos) * 1e-9 / MEMORY_SECONDS);
      tokens *= kept;
      seconds = kept * seconds + (1 - kept) * MEMORY_SECONDS;
    }
    lastNanos = nanos;
  }

  void left(int count) {
    tokens += count;
  }

  /** Whether anything was seen to leave. */
  boolean isKnown() {
    return tokens > 0;
  }

  /** How long so many tokens take to leave; infinite if none were seen to. */
  double seconds(double count) {
    // What happens to leave within a moment is no rate yet.
    return count * Math.max(1, seconds) / tokens;
  }
}
