package dev.cloister.coordinator.routing.admission;

import java.time.Duration;

/** What a queue says to a claim. */
public sealed interface Offer<T> {

  /** It waits for its turn. */
  record Waiting<T>(Ticket<T> ticket) implements Offer<T> {}

  /**
   * Its caller has too much waiting already.
   *
   * @param retryAfter until what the caller has waiting is served, in whole seconds
   */
  record CallerFull<T>(Duration retryAfter) implements Offer<T> {}

  /**
   * All callers together have too much waiting.
   *
   * @param retryAfter until all that waits is served, in whole seconds
   */
  record QueueFull<T>(Duration retryAfter) implements Offer<T> {}

  /**
   * Its turn would come after its deadline, behind what its caller has waiting already.
   *
   * @param retryAfter until that is served, in whole seconds
   */
  record TooLate<T>(Duration retryAfter) implements Offer<T> {}
}
