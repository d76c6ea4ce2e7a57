package dev.cloister.coordinator.routing;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What a request lost on its way, since its answer last went on, and until when it waits for a
 * node: after each loss as long as at first. Not thread-safe.
 */
final class Losses {
  /**
   * Engines lost one after the other, without a new token in between, after which a request is
   * given up: it may be what brings them down.
   */
  private static final int MOST_ENGINES = 3;

  /** The same for nodes, which no request brings down. */
  private static final int MOST_NODES = 20;

  /** How long a request whose node was lost waits for the model to be brought up somewhere. */
  private static final Duration GRACE = Duration.ofSeconds(5);

  /** How long a request waits for a node, or for its model to be loaded. */
  private static final Duration LONGEST_WAIT = Duration.ofSeconds(30);

  private Instant deadline;
  private @Nullable Instant latest;
  private int engines;
  private int nodes;

  /** Of a request that arrives now. */
  Losses(Instant now) {
    this.deadline = now.plus(LONGEST_WAIT);
  }

  /** Until when it waits for a node. */
  Instant deadline() {
    return deadline;
  }

  /**
   * Notes a loss.
   *
   * @param nodeIsThere and only its engine was lost
   */
  void lost(boolean nodeIsThere, Instant now) {
    nodes++;
    engines += nodeIsThere ? 1 : 0;
    left(now);
  }

  /** Notes that a node was left that was not lost. */
  void left(Instant now) {
    latest = now;
    deadline = now.plus(LONGEST_WAIT);
  }

  /** Notes that the nodes it waited for are gone. */
  void lostAll(Instant now) {
    latest = now;
  }

  /** Notes a new token. */
  void goesOn() {
    engines = 0;
    nodes = 0;
  }

  boolean areTooMany() {
    return engines >= MOST_ENGINES || nodes >= MOST_NODES;
  }

  /** Whether a new place for the model may still be looked for. */
  boolean justNow(Instant now) {
    return latest != null && now.isBefore(latest.plus(GRACE));
  }
}
