package dev.cloister.agent.courtesy;

import dev.cloister.agent.courtesy.Verdict.Cause;
import dev.cloister.agent.courtesy.Verdict.Pause;
import dev.cloister.agent.courtesy.Verdict.Work;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Keeps verdicts from going back and forth: others' load counts once it has lasted, and work begins
 * again only after there was no reason to pause for a while. Not thread-safe.
 */
final class Steadiness {
  /** A program that starts, or a page that loads, is no reason to leave. */
  static final Duration LASTING_LOAD = Duration.ofSeconds(10);

  /** So long nothing must speak against work before it begins again. */
  static final Duration QUIET = Duration.ofSeconds(30);

  private Verdict current = new Work();
  private @Nullable Instant otherSince;

  /** What holds after this was judged. */
  Verdict next(Verdict judged, Instant now) {
    if (judged.getClass() == current.getClass()) {
      otherSince = null;
      if (judged instanceof Pause pause && current instanceof Pause former) {
        // Of the same kind, only the figures differ: nobody needs to hear of each.
        current = pause.cause() == former.cause() ? former : pause;
      }
      return current;
    }
    if (otherSince == null) {
      otherSince = now;
    }
    if (!now.isBefore(otherSince.plus(patience(judged)))) {
      current = judged;
      otherSince = null;
    }
    return current;
  }

  private static Duration patience(Verdict judged) {
    return switch (judged) {
      case Work _ -> QUIET;
      case Pause(Cause cause, var _) ->
          cause == Cause.CPU || cause == Cause.GPU ? LASTING_LOAD : Duration.ZERO;
    };
  }
}
