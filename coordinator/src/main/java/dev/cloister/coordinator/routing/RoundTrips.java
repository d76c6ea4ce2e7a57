package dev.cloister.coordinator.routing;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * How long a message to a node and its answer take, seen by numbers that nodes send back; they
 * cannot be guessed, so no node answers before it was asked. Thread-safe.
 */
public final class RoundTrips {
  private static final double NEWEST = 0.3;

  private final InstantSource clock;
  private final BiConsumer<String, Duration> listener;
  private final Map<String, State> states = new ConcurrentHashMap<>();

  /**
   * @param average null before the first answer
   */
  private record State(long number, @Nullable Instant sent, @Nullable Duration average) {}

  /**
   * @param listener is told the average of a node when it has changed
   */
  RoundTrips(InstantSource clock, BiConsumer<String, Duration> listener) {
    this.clock = clock;
    this.listener = listener;
  }

  /**
   * Notes that a node is asked now, for the number returned. An answer asked for before is lost.
   */
  public long sent(String nodeId) {
    long number = ThreadLocalRandom.current().nextLong();
    Instant now = clock.instant();
    states.compute(
        nodeId, (id, state) -> new State(number, now, state == null ? null : state.average));
    return number;
  }

  /** Takes a node's answer; one that was not asked for is ignored. */
  public void received(String nodeId, long number) {
    boolean[] measured = {false};
    Instant now = clock.instant();
    @Nullable State known =
        states.computeIfPresent(
            nodeId,
            (id, state) -> {
              if (state.sent == null || state.number != number || now.isBefore(state.sent)) {
                return state;
              }
              measured[0] = true;
              return new State(0, null, average(state.average, Duration.between(state.sent, now)));
            });
    if (measured[0] && known != null && known.average != null) {
      listener.accept(nodeId, known.average);
    }
  }

  private static Duration average(@Nullable Duration before, Duration newest) {
    return before == null
        ? newest
        : Duration.ofNanos((long) (NEWEST * newest.toNanos() + (1 - NEWEST) * before.toNanos()));
  }
}
