package dev.cloister.coordinator.routing.admission;

/**
 * How fast a queue empties while something in it has to wait: tokens that left it, by the time from
 * one ticket that was served to the next. Both fade, so that the last half minute counts.
 *
 * <p>The time until the first of them says nothing: nodes work off what they took before, and
 * nothing leaves the queue, however fast they are. Nor does the time since the latest one: whatever
 * takes long may be just about to end. What was seen before a calm counts until something is seen
 * again, and hardly from then on.
 *
 * <p>A ticket that is cancelled while it waits leaves as well, for those behind it need not wait
 * until it is served. One that passes its deadline does not: it waited in vain.
 */
final class DrainRate {
  private static final double MEMORY_SECONDS = 30;

  /** What happens to leave within a moment is no rate yet. */
  private static final double LEAST_SECONDS = 1;

  /** What ten seconds without a calm come to. */
  private static final double SURE_SECONDS = MEMORY_SECONDS * (1 - Math.exp(-10 / MEMORY_SECONDS));

  private double tokens;
  private double seconds;

  /** Whether a ticket was served since something has to wait, and when the latest one was. */
  private boolean counting;

  private long latestNanos;

  /** Takes what left to be served while something had to wait. */
  void served(int count, long nanos) {
    if (counting) {
      double kept = Math.exp(-Math.max(0, nanos - latestNanos) * 1e-9 / MEMORY_SECONDS);
      tokens = kept * tokens + count;
      seconds = kept * seconds + (1 - kept) * MEMORY_SECONDS;
    } else if (seconds > LEAST_SECONDS) {
      tokens *= LEAST_SECONDS / seconds;
      seconds = LEAST_SECONDS;
    }
    counting = true;
    latestNanos = nanos;
  }

  /** Takes what left as nobody waits for it any more. */
  void cancelled(int count) {
    if (counting) {
      tokens += count;
    }
  }

  /** Notes that nothing has to wait. */
  void calm() {
    counting = false;
  }

  /** Whether it was seen for so long that a request may be refused because of it. */
  boolean isSure() {
    return counting && seconds >= SURE_SECONDS;
  }

  /** How long so many tokens take to leave; infinite if too little was seen to tell. */
  double seconds(double count) {
    return seconds >= LEAST_SECONDS ? count * seconds / tokens : Double.POSITIVE_INFINITY;
  }
}
