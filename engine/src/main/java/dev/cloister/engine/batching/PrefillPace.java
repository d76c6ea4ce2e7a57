package dev.cloister.engine.batching;

/**
 * How many tokens of prompts go into one batch, so that those who wait for their next token do not
 * wait long, and a cancelled prompt ends soon. Learns how fast prompts are computed. Not
 * thread-safe.
 */
final class PrefillPace {
  private static final double SECONDS_BESIDE_OTHERS = 0.1;
  private static final double SECONDS_ALONE = 1;
  private static final int LEAST = 32;

  /** Smaller pieces are computed noticeably slower, token by token. */
  private static final int LEAST_ALONE = 128;

  private static final double NEW_WEIGHT = 0.3;

  private final int most;
  private double tokensPerSecond;

  PrefillPace(int most) {
    this.most = most;
  }

  /**
   * Tokens for the next batch.
   *
   * @param generating answers that wait for their next token
   * @param computing answers that wait for their prompt; the more there are for each of the others,
   *     the more of the batch is theirs
   */
  int tokens(int generating, int computing) {
    if (tokensPerSecond == 0) {
      return Math.min(most, 4 * LEAST);
    }
    int share = generating == 0 ? 1 : Math.max(1, computing / generating);
    double seconds = generating == 0 ? SECONDS_ALONE : SECONDS_BESIDE_OTHERS * share;
    int affordable = (int) Math.min(most, tokensPerSecond * seconds);
    // Whole blocks: the kernels compute them fastest.
    int least = generating == 0 ? LEAST_ALONE : LEAST * share;
    return Math.min(most, Math.max(least, affordable / LEAST * LEAST));
  }

  /** Learns from a batch with so many tokens of prompts, if they are enough to tell. */
  void learn(int tokens, long nanos) {
    if (tokens < LEAST || nanos <= 0) {
      return;
    }
    double rate = tokens * 1e9 / nanos;
    tokensPerSecond =
        tokensPerSecond == 0 ? rate : tokensPerSecond + NEW_WEIGHT * (rate - tokensPerSecond);
  }
}
