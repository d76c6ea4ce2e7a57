package dev.cloister.coordinator.routing.choice;

/**
 * Machines that are expected to be about as fast, and what was seen of all of them together. It is
 * remembered for longer than what was seen of each. Belongs to a ledger.
 */
final class Kind {
  private final SpeedMeter meter = SpeedMeter.ofKind();
  private long measuredNanos;
  private int active;
  private boolean wasKnown;
  private boolean wasTried;

  /** Counts a request that is sent to one of them. */
  void began() {
    active++;
  }

  /** Counts it no more. */
  void ended() {
    active--;
  }

  void prompt(double uncachedTokens, double seconds) {
    meter.prompt(uncachedTokens, seconds);
  }

  void tokens(double count, double seconds, double answers, long nanos) {
    meter.tokens(count, seconds, answers);
    measuredNanos = nanos;
  }

  /** Whether it was seen how fast they are. */
  boolean isKnown() {
    return meter.measured();
  }

  /** Whether that is about to be seen. */
  boolean isTried() {
    return !isKnown() && active > 0;
  }

  /** Whether either is another thing than when this was asked last. */
  boolean hasChanged() {
    boolean changed = wasKnown != isKnown() || wasTried != isTried();
    wasKnown = isKnown();
    wasTried = isTried();
    return changed;
  }

  /**
   * What was seen.
   *
   * @param assumed stands for what was not
   */
  Speed speed(Speed assumed) {
    return meter.seen(assumed);
  }

  /** Forgets what was seen too long ago. */
  void forget(long beforeNanos) {
    if (isKnown() && measuredNanos < beforeNanos) {
      meter.clear();
    }
  }
}
