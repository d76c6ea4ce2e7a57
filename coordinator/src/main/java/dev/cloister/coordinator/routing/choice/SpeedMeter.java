package dev.cloister.coordinator.routing.choice;

/** Learns from answers how fast a node, or nodes of one kind, are with a model. Not thread-safe. */
final class SpeedMeter {
  /** No machine is faster: what looks like it came out of a buffer. */
  private static final double LEAST_TOKEN_SECONDS = 20e-6;

  private static final double LEAST_PROMPT_TOKEN_SECONDS = 1e-6;

  /**
   * As so many observations counts what is assumed of a node. A single one may be far off: of a
   * short answer, or while the machine did something else.
   */
  private static final double ASSUMED = 3;

  private final LinearEstimate prompts;
  private final LinearEstimate tokens;

  private SpeedMeter(double newest) {
    this.prompts = new LinearEstimate(0.8, 1_000, newest);
    this.tokens = new LinearEstimate(0.5, 0.5, newest);
  }

  /** Follows the latest answers. */
  static SpeedMeter ofNode() {
    return new SpeedMeter(0.2);
  }

  /** Follows the latest answers of all nodes, more slowly. */
  static SpeedMeter ofKind() {
    return new SpeedMeter(0.02);
  }

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
   * What was seen, and with the weight of a few observations what is assumed: so the first ones
   * count a little only, and what is assumed counts nothing after many.
   */
  Speed speed(Speed assumed) {
    return seen(assumed).mixed(share(prompts), share(tokens), assumed);
  }

  private static double share(LinearEstimate seen) {
    return seen.weight() / (seen.weight() + ASSUMED);
  }

  /**
   * What was seen.
   *
   * @param assumed stands for what was not
   */
  Speed seen(Speed assumed) {
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
