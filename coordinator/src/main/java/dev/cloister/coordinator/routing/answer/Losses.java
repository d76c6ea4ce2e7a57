package dev.cloister.coordinator.routing.answer;

import dev.cloister.coordinator.inference.GenerationEvent.Failed;
import dev.cloister.coordinator.inference.GenerationEvent.FailureCode;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What a request lost on its way, since its answer last went on, and until when it waits for a
 * node: after each loss as long as at first. Not thread-safe.
 */
public final class Losses {
  /**
   * Engines lost one after the other, without a new token in between, after which a request is
   * given up: it may be what brings them down.
   */
  private static final int MOST_ENGINES = 3;

  /** The same for nodes, which no request brings down. */
  private static final int MOST_NODES = 20;

  /** How long a request whose node was lost waits for the model to be brought up somewhere. */
  public static final Duration GRACE = Duration.ofSeconds(5);

  /** How long a request waits for a node that has its model. */
  private static final Duration LONGEST_WAIT = Duration.ofSeconds(30);

  /** What is said where the answer has not begun within the time that its caller named. */
  public static final Failed LATE =
      new Failed(
          FailureCode.NO_CAPACITY,
          "no answer began within the time that the request allows; allow more, or try again");

  private final boolean named;
  private Instant deadline;
  private @Nullable Instant latest;
  private int engines;
  private int nodes;

  /**
   * Of a request that arrives now.
   *
   * @param timeout after which its answer is to have begun, if its caller names one; no loss
   *     prolongs that
   */
  public Losses(Optional<Duration> timeout, Instant now) {
    this.named = timeout.isPresent();
    this.deadline = now.plus(timeout.orElse(LONGEST_WAIT));
  }

  /**
   * Until when it waits for a node.
   *
   * @param load what is added where the model has to be loaded first and the caller named no time
   */
  public Instant deadline(Duration load) {
    return named ? deadline : deadline.plus(load);
  }

  /** Whether its caller named a time for the answer to begin, and that is over. */
  public boolean isLate(Instant now) {
    return named && !now.isBefore(deadline);
  }

  /**
   * Notes a loss.
   *
   * @param nodeIsThere and only its engine was lost
   * @param begun whether the caller has a part of the answer
   */
  public void lost(boolean nodeIsThere, boolean begun, Instant now) {
    nodes++;
    engines += nodeIsThere ? 1 : 0;
    left(begun, now);
  }

  /** The same for a node that was left and not lost. */
  public void left(boolean begun, Instant now) {
    latest = now;
    if (begun || !named) {
      deadline = now.plus(LONGEST_WAIT);
    }
  }

  /** Notes that the nodes it waited for are gone. */
  public void lostAll(Instant now) {
    latest = now;
  }

  /** Notes a new token. */
  public void goesOn() {
    engines = 0;
    nodes = 0;
  }

  public boolean areTooMany() {
    return engines >= MOST_ENGINES || nodes >= MOST_NODES;
  }

  /**
   * Whether the answer may go on elsewhere after a failure.
   *
   * @param begun whether the caller has a part of it
   * @param elsewhere whether another node would take it now
   */
  public boolean mayMove(FailureCode code, boolean begun, BooleanSupplier elsewhere) {
    return switch (code) {
      case NODE_LOST -> !areTooMany();
      // The request may be the reason: it is not sent to the same node again.
      case INTERNAL -> !areTooMany() && elsewhere.getAsBoolean();
      // A caller that is told so may try again, but not in the middle of an answer.
      case NO_CAPACITY -> begun;
      case INVALID_REQUEST,
          CONTEXT_LENGTH_EXCEEDED,
          MODEL_NOT_FOUND,
          NOT_ALLOWED,
          TOO_MANY_REQUESTS ->
          false;
    };
  }

  /** Whether a new place for the model may still be looked for. */
  public boolean justNow(Instant now) {
    return latest != null && now.isBefore(latest.plus(GRACE));
  }
}
