package dev.cloister.coordinator.routing.admission;

/**
 * How many requests a node is given at once, found by its times to first token: as long as they are
 * what is usual there, one more is tried; when they are longer than twice that, the limit shrinks
 * by as much, but not by more than half.
 *
 * <p>The rule is that of {@code Gradient2Limit} (github.com/Netflix/concurrency-limits), with two
 * differences. What is usual is neither a mean, which in a long overload grows with it, nor a
 * minimum, which one odd sample sets: it follows shorter times quickly and longer ones slowly, so
 * that a node that became slower for good is known as such after some hundred answers. And there is
 * no fixed allowance for a queue, which would keep the limit of small nodes above one.
 *
 * <p>Not thread-safe.
 */
public final class AdaptiveLimit {
  private static final double TOLERATED = 2;
  private static final double SMALLEST_GRADIENT = 0.5;

  /** The weight of one sample in the limit. */
  private static final double NEWEST = 0.2;

  /** The weight of one sample in what is usual. */
  private static final double SHORTER = 0.05;

  private static final double LONGER = 0.005;

  private final int least;
  private final int most;
  private double limit;
  private double usual = Double.NaN;

  /**
   * A limit for a node of which nothing was seen yet.
   *
   * @param least the limit can become, such as the node's slots
   * @param initial limit
   * @param most the limit can become
   */
  public AdaptiveLimit(int least, int initial, int most) {
    if (least < 1 || initial < least || most < initial) {
      throw new IllegalArgumentException(
          "limit %d, %d to %d (expected: 1 <= least <= limit <= most)"
              .formatted(initial, least, most));
    }
    this.least = least;
    this.limit = initial;
    this.most = most;
  }

  /** Requests the node may have at once. */
  public int limit() {
    return (int) limit;
  }

  /**
   * Takes a time to first token.
   *
   * @param time from sending the request; as prompts differ in length, in relation to what its
   *     prompt is expected to take there: only ratios of these numbers count
   * @param requests the node had when it was sent, this one included
   */
  public void add(double time, int requests) {
    if (!(time > 0 && time < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("time: " + time + " (expected: > 0, finite)");
    }
    if (Double.isNaN(usual)) {
      usual = time;
    }
    // One answer that took forever is no reason to find that usual.
    usual += time < usual ? SHORTER * (time - usual) : LONGER * Math.min(time - usual, usual);
    // A node with little to do tells nothing of how much it can do.
    if (requests < limit / 2) {
      return;
    }
    double gradient = Math.clamp(TOLERATED * usual / time, SMALLEST_GRADIENT, 1);
    double target = gradient < 1 ? gradient * limit : limit + 1;
    limit = Math.clamp(limit + NEWEST * (target - limit), least, most);
  }
}
