package dev.cloister.engine.llamacpp;

import dev.cloister.engine.model.DecodeException;
import dev.cloister.engine.model.TokenProbabilities;

/** What is read off a row of logits. */
final class Logits {

  private Logits() {}

  /**
   * The token with the greatest logit; the first of several.
   *
   * @throws DecodeException for one that is not a number
   */
  static int greatest(float[] logits) {
    int best = 0;
    float greatest = Float.NEGATIVE_INFINITY;
    for (int token = 0; token < logits.length; token++) {
      float logit = logits[token];
      // Written so that what is not a number ends up here too.
      if (!(logit <= greatest)) {
        requireNumber(logit);
        greatest = logit;
        best = token;
      }
    }
    return best;
  }

  /** Throws DecodeException for what is not a number: the model computes garbage. */
  static void requireNumber(float logit) {
    if (Float.isNaN(logit)) {
      throw new DecodeException(
          "the model computes values that are not numbers; its file may be damaged");
    }
  }

  /** The probability of a token and the most likely ones, by softmax over all logits. */
  static TokenProbabilities probabilities(float[] logits, int token, int top) {
    float greatest = logits[greatest(logits)];
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - greatest);
    }
    float logOfSum = (float) (greatest + Math.log(sum));
    int[] tokens = mostLikely(logits, Math.min(top, logits.length));
    float[] logprobs = new float[tokens.length];
    for (int i = 0; i < tokens.length; i++) {
      logprobs[i] = logits[tokens[i]] - logOfSum;
    }
    return new TokenProbabilities(logits[token] - logOfSum, tokens, logprobs);
  }

  /** Insertion into a short sorted list: nearly all tokens fail the first comparison. */
  private static int[] mostLikely(float[] logits, int count) {
    int[] tokens = new int[count];
    int held = 0;
    for (int token = 0; token < logits.length; token++) {
      float logit = logits[token];
      if (held == count && (count == 0 || logit <= logits[tokens[count - 1]])) {
        continue;
      }
      int place = held < count ? held++ : count - 1;
      while (place > 0 && logits[tokens[place - 1]] < logit) {
        tokens[place] = tokens[place - 1];
        place--;
      }
      tokens[place] = token;
    }
    return tokens;
  }
}
