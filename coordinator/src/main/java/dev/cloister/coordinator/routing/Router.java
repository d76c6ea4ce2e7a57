package dev.cloister.coordinator.routing;

import dev.cloister.coordinator.routing.Decision.Prediction;
import java.util.Comparator;
import java.util.List;

/**
 * Chooses the node that is predicted to have a request answered soonest.
 *
 * <p>The prediction is {@code (tokens pending there + tokens expected of this request) / rate}, the
 * rate being what was measured on that node. A node not measured yet counts as fast as the fastest,
 * so that it is tried soon. Equal predictions go to the node that served less. Pure and
 * thread-safe.
 */
public final class Router {
  /** Tokens per second of a node when none was measured yet; only ratios matter then. */
  static final double UNMEASURED_RATE = 20;

  /** Requests that may wait on a node, per slot. */
  static final int QUEUED_PER_SLOT = 4;

  private static final Comparator<Prediction> SOONEST =
      Comparator.comparing(Prediction::full)
          .thenComparingDouble(Prediction::seconds)
          .thenComparingLong(prediction -> prediction.candidate().served())
          .thenComparing(prediction -> prediction.candidate().nodeName());

  private Router() {}

  /**
   * @param expectedTokens tokens this request is expected to generate
   */
  public static Decision choose(List<Candidate> candidates, int expectedTokens) {
    double assumed =
        candidates.stream()
            .filter(candidate -> candidate.tokensPerSecond().isPresent())
            .mapToDouble(candidate -> candidate.tokensPerSecond().getAsDouble())
            .max()
            .orElse(UNMEASURED_RATE);
    return new Decision(
        candidates.stream()
            .map(candidate -> predict(candidate, expectedTokens, assumed))
            .sorted(SOONEST)
            .toList());
  }

  private static Prediction predict(Candidate candidate, int expectedTokens, double assumed) {
    long tokens = candidate.pendingTokens() + expectedTokens;
    double rate = candidate.tokensPerSecond().orElse(assumed);
    boolean full = candidate.active() >= candidate.slots() * (1L + QUEUED_PER_SLOT);
    return new Prediction(
        candidate, tokens, rate, candidate.tokensPerSecond().isPresent(), tokens / rate, full);
  }
}
