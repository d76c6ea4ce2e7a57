package dev.cloister.coordinator.residence;

import java.time.Instant;
import java.util.Optional;

/**
 * That a whole model is on a node, or is to be.
 *
 * @param since when that was decided, or its engine was last told to load
 * @param placed whether it has its room; otherwise others have to leave first
 * @param readyAt when it answered first; empty until it does
 */
public record Stay(Why why, Instant since, boolean placed, Optional<Instant> readyAt) {
  Stay inPlace(Instant now) {
    return placed ? this : new Stay(why, now, true, Optional.empty());
  }

  Stay ready(Instant now) {
    return readyAt.isPresent() ? this : new Stay(why, since, placed, Optional.of(now));
  }

  Stay notReady(Instant now) {
    return readyAt.isEmpty() ? this : new Stay(why, now, placed, Optional.empty());
  }

  /** Whether it is on its way. */
  public boolean isComing() {
    return readyAt.isEmpty();
  }
}
