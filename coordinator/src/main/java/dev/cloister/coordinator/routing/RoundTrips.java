package dev.cloister.coordinator.routing;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.OptionalLong;
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

  /** So many times nodes are asked as often as they report: what has begun just now is slow. */
  private static final int OFTEN = 10;

  /** Between two times from then on. A little less than five reports, so that it is each fifth. */
  private static final Duration SELDOM = Duration.ofMillis(4_500);

  private final InstantSource clock;
  private final BiConsumer<String, Duration> listener;
  private final Map<String, State> states = new ConcurrentHashMap<>();

  /**
   * @param number that the node was sent last
   * @param awaited whether it has not sent that back
   * @param answers that came
   * @param average null before the first answer
   */
  private record State(
      long number, Instant sent, boolean awaited, int answers, @Nullable Duration average) {

    boolean isDue(Instant now) {
      return answers < OFTEN || now.isBefore(sent) || !now.isBefore(sent.plus(SELDOM));
    }

    State ask(long fresh, Instant now) {
      return new State(fresh, now, true, answers, average);
    }

    State answered(Duration measured) {
      Duration next =
          average == null
              ? measured
              : Duration.ofNanos(
                  (long) (NEWEST * measured.toNanos() + (1 - NEWEST) * average.toNanos()));
      return new State(number, sent, false, Math.min(answers + 1, OFTEN), next);
    }
  }

  /**
   * @param listener is told the average of a node when it has changed
   */
  RoundTrips(InstantSource clock, BiConsumer<String, Duration> listener) {
    this.clock = clock;
    this.listener = listener;
  }

  /**
   * The number that a node is to be asked for now. An answer asked for before is lost then.
   *
   * @return empty if it need not be asked now
   */
  public OptionalLong ask(String nodeId) {
    long number = ThreadLocalRandom.current().nextLong();
    Instant now = clock.instant();
    boolean[] due = {false};
    states.compute(
        nodeId,
        (id, state) -> {
          State known = state == null ? new State(number, now, false, 0, null) : state;
          due[0] = known.isDue(now);
          return due[0] ? known.ask(number, now) : known;
        });
    return due[0] ? OptionalLong.of(number) : OptionalLong.empty();
  }

  /** Takes a node's answer; one that was not asked for is ignored. */
  public void received(String nodeId, long number) {
    boolean[] measured = {false};
    Instant now = clock.instant();
    @Nullable State known =
        states.computeIfPresent(
            nodeId,
            (id, state) -> {
              if (!state.awaited || state.number != number || now.isBefore(state.sent)) {
                return state;
              }
              measured[0] = true;
              return state.answered(Duration.between(state.sent, now));
            });
    if (measured[0] && known != null && known.average != null) {
      listener.accept(nodeId, known.average);
    }
  }
}
