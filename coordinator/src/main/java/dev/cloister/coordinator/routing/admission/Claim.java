package dev.cloister.coordinator.routing.admission;

/**
 * What is asked of a queue.
 *
 * @param caller whose turn it takes
 * @param weight the share of this caller, in relation to that of others
 * @param tokens that are expected to be served to it
 * @param deadlineNanos from when on it is of no use any more
 * @param item what waits
 */
public record Claim<T>(String caller, double weight, int tokens, long deadlineNanos, T item) {
  public Claim {
    if (!(weight > 0 && weight < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("weight: " + weight + " (expected: > 0, finite)");
    }
    if (tokens < 1) {
      throw new IllegalArgumentException("tokens: " + tokens + " (expected: >= 1)");
    }
  }
}
