package dev.cloister.agent.link;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * Pauses between attempts: each up to twice as long as the last, and random in between, so that a
 * thousand agents do not come back in the same moment. Not thread-safe.
 */
final class Backoff {
  private final Duration first;
  private final Duration longest;
  private final RandomGenerator random;
  private Duration limit;

  Backoff(Duration first, Duration longest, RandomGenerator random) {
    this.first = first;
    this.longest = longest;
    this.random = random;
    this.limit = first;
  }

  /** The next pause: half of the limit to all of it. */
  Duration next() {
    long half = limit.toMillis() / 2;
    Duration pause = Duration.ofMillis(half + random.nextLong(half + 1));
    Duration doubled = limit.multipliedBy(2);
    limit = doubled.compareTo(longest) > 0 ? longest : doubled;
    return pause;
  }

  void reset() {
    limit = first;
  }
}
