package dev.cloister.coordinator.routing.choice;

/** Learns how fast a node is with a model from answers that it gave. Not thread-safe. */
final class SpeedMeter {
  /** No machine is faster: what looks like it came out of a buffer. */
  private static final double LEAST_TOKEN_SECONDS = 20e-6;

  private static final double LEAST_PROMPT_TOKEN_SECONDS = 1e-6;

  private final LinearEstimate prompts = new LinearEstimate(0.8, 1_000);
  private final LinearEstimate tokens = new LinearEstimate(0.5, 0.5);

  /**
   * Takes the time from a slot to the first token.
   *
   * @param uncachedTokens of the prompt
   */
  void prompt(double uncachedTokens, double seconds) {
    if (uncachedTokens > 0 && seconds > 0) {
      prompts.add(uncachedTokens, Math.max(seconds, uncachedTokens * LEAST_PROMPT_TOKEN_SECONDS));
    }
  }

  /**
   * Takes a part of an answer.
   *
   * @param answers made at once in that time, on average
   */
  void tokens(double count, double seconds, double answers) {
    if (count > 0 && seconds > 0) {
      tokens.add(Math.max(1, answers), Math.max(seconds / count, LEAST_TOKEN_SECONDS));
    }
  }

  /** Whether parts of answers were seen. */
  boolean measured() {
    return tokens.known();
  }

  void clear() {
    prompts.clear();
    tokens.clear();
  }

  /**
   * What was seen.
   *
   * @param assumed stands for what was not
   */
  Speed speed(Speed assumed) {
    return new Speed(
        prompts.known() ? prompts.intercept() : assumed.startSeconds(),
        prompts.known()
            ? Math.max(prompts.slope(), LEAST_PROMPT_TOKEN_SECONDS)
            : assumed.promptTokenSeconds(),
        tokens.known() ? tokens.intercept() : assumed.stepSeconds(),
        tokens.known() ? tokens.slope() : assumed.answerSeconds(),
        tokens.known());
  }
}
