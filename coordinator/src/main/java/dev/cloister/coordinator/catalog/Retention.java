package dev.cloister.coordinator.catalog;

import java.time.Duration;
import java.util.Optional;

/**
 * How long a model stays loaded.
 *
 * @param pinned it is loaded before others, and never unloaded
 * @param keepAlive it is loaded when somebody asks for it, and unloaded when nobody did for so
 *     long; empty: it is loaded wherever there is room, and unloaded where another one needs the
 *     room
 */
public record Retention(boolean pinned, Optional<Duration> keepAlive) {
  /** Loaded wherever there is room, until another model needs it. */
  public static final Retention WHILE_THERE_IS_ROOM = new Retention(false, Optional.empty());

  public static final Retention PINNED = new Retention(true, Optional.empty());

  private static final Duration LONGEST = Duration.ofDays(365);

  /**
   * @throws IllegalArgumentException if it is both, or the time is out of range; the message is one
   *     sentence
   */
  public Retention {
    if (pinned && keepAlive.isPresent()) {
      throw new IllegalArgumentException(
          "a pinned model is never unloaded; choose either pin or keep-alive");
    }
    keepAlive.ifPresent(
        time -> {
          if (time.isNegative() || time.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException(
                "keep-alive: %d s (expected: 0 s to 365 d)".formatted(time.toSeconds()));
          }
        });
  }

  /** Loaded when somebody asks for it, until nobody did for so long. */
  public static Retention keepAlive(Duration time) {
    return new Retention(false, Optional.of(time));
  }

  /** Whether it is loaded only when somebody asks for it. */
  public boolean isOnDemand() {
    return keepAlive.isPresent();
  }

  @Override
  public String toString() {
    return pinned
        ? "pinned"
        : keepAlive
            .map(time -> "keep-alive " + time.toSeconds() + " s")
            .orElse("while there is room");
  }
}
