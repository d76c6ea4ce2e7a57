package dev.cloister.coordinator.routing.choice;

/**
 * How fast a node is with a model.
 *
 * @param startSeconds from its slot to the first token, beside what the prompt takes
 * @param promptTokenSeconds for each token of the prompt that is not cached
 * @param stepSeconds for a token, beside what each answer adds
 * @param answerSeconds what each of the answers at once adds to the time of a token
 * @param measured whether answers were seen there; otherwise it is assumed
 */
public record Speed(
    double startSeconds,
    double promptTokenSeconds,
    double stepSeconds,
    double answerSeconds,
    boolean measured) {

  /** Of a node when nothing is known of any: only ratios matter then. */
  public static final Speed ASSUMED = new Speed(0.05, 0.002, 0.025, 0.025, false);

  public Speed {
    // Written so that NaN fails as well.
    if (!(startSeconds >= 0 && promptTokenSeconds > 0 && stepSeconds + answerSeconds > 0)
        || stepSeconds < 0
        || answerSeconds < 0) {
      throw new IllegalArgumentException(
          "start %s s, prompt token %s s, token %s + n x %s s (expected: above 0)"
              .formatted(startSeconds, promptTokenSeconds, stepSeconds, answerSeconds));
    }
  }

  /** Time of each token of an answer when so many answers are made at once. */
  public double tokenSeconds(int answers) {
    return stepSeconds + answers * answerSeconds;
  }

  /** Tokens of each answer when so many are made at once. */
  public double tokensPerSecond(int answers) {
    return 1 / tokenSeconds(answers);
  }

  /** Tokens of prompts that are not cached. */
  public double promptTokensPerSecond() {
    return 1 / promptTokenSeconds;
  }

  /** The better of both in everything. */
  Speed best(Speed other) {
    Speed faster = other.tokenSeconds(1) < tokenSeconds(1) ? other : this;
    return new Speed(
        Math.min(startSeconds, other.startSeconds),
        Math.min(promptTokenSeconds, other.promptTokenSeconds),
        faster.stepSeconds,
        faster.answerSeconds,
        measured && other.measured);
  }

  /** So much of this, of prompts and of tokens, and the rest of another one. */
  Speed mixed(double ofPrompts, double ofTokens, Speed rest) {
    return new Speed(
        mean(startSeconds, ofPrompts, rest.startSeconds),
        mean(promptTokenSeconds, ofPrompts, rest.promptTokenSeconds),
        mean(stepSeconds, ofTokens, rest.stepSeconds),
        mean(answerSeconds, ofTokens, rest.answerSeconds),
        measured);
  }

  private static double mean(double some, double share, double rest) {
    return share * some + (1 - share) * rest;
  }

  /** The same while the node makes so many answers of other models: each counts as one of this. */
  Speed beside(int others) {
    return others == 0
        ? this
        : new Speed(
            startSeconds,
            promptTokenSeconds,
            stepSeconds + others * answerSeconds,
            answerSeconds,
            measured);
  }

  /** The same as an assumption for another node, which is so many times as slow. */
  Speed assumed(double slower) {
    return new Speed(
        slower * startSeconds,
        slower * promptTokenSeconds,
        slower * stepSeconds,
        slower * answerSeconds,
        false);
  }
}
