package dev.cloister.bench.simulation;

/**
 * A kind of machine with a model. A step of its engine makes a token of each answer and computes a
 * piece of the prompts. It takes as long as the slower one of two things: reading the model's
 * weights, or computing all tokens of the step; and beside that a little for the context of each
 * answer. This is the roofline of Williams, Waterman and Patterson (CACM, 2009), so token rates
 * bend: answers cost little until the machine is out of arithmetic.
 *
 * @param name nodes of one name are expected to be about as fast
 * @param promptTokensPerSecond computed of prompts alone
 * @param readSeconds for the weights: the time of a step that has little to compute
 * @param contextSeconds of a step for each answer in it
 * @param slots sequences at once
 * @param loadSeconds until the model is loaded
 * @param cacheTokens retained of ended sequences
 */
public record NodeKind(
    String name,
    double promptTokensPerSecond,
    double readSeconds,
    double contextSeconds,
    int slots,
    double loadSeconds,
    int cacheTokens) {

  /** A model of 8 billion parameters in 4 bits on a GPU with 1 TB/s. */
  public static final NodeKind FAST_GPU =
      new NodeKind("fast GPU", 5_000, 0.0080, 0.0003, 16, 4, 128_000);

  /** The same on a machine with 250 GB/s, such as one with a small GPU or unified memory. */
  public static final NodeKind MID = new NodeKind("mid", 1_000, 0.0250, 0.0010, 8, 6, 48_000);

  /** The same on the processor of a laptop, with 50 GB/s. */
  public static final NodeKind LAPTOP = new NodeKind("laptop", 80, 0.1000, 0.0040, 4, 15, 16_000);

  public NodeKind {
    // Written so that NaN fails as well.
    if (!(promptTokensPerSecond > 0 && readSeconds > 0 && contextSeconds >= 0 && loadSeconds >= 0)
        || slots < 1
        || cacheTokens < 0) {
      throw new IllegalArgumentException(
          "%s: %s tokens/s, %s s, %s s, %d slots, load %s s, cache %d (expected: above 0)"
              .formatted(
                  name,
                  promptTokensPerSecond,
                  readSeconds,
                  contextSeconds,
                  slots,
                  loadSeconds,
                  cacheTokens));
    }
  }

  /** Of a step with so many answers and so many tokens of prompts. */
  public double stepSeconds(int answers, int promptTokens) {
    return Math.max(readSeconds, (answers + promptTokens) / promptTokensPerSecond)
        + answers * contextSeconds;
  }

  /**
   * Requests a second that it completes at most, about: prompts one after another, and answers with
   * all slots in use.
   */
  public double requestsPerSecond(double promptTokens, double answerTokens) {
    return 1
        / (promptTokens / promptTokensPerSecond + answerTokens * stepSeconds(slots, 0) / slots);
  }
}
