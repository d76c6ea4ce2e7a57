package dev.cloister.engine.stage;

import dev.cloister.engine.model.DecodeContext;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Tokens of one sequence that follow each other, in one step.
 *
 * @param position of the first one, counted from 0 in the sequence
 * @param tokens how many
 * @param output wanted behind the last one; null for none
 */
public record Run(int sequence, int position, int tokens, @Nullable Output output) {

  /**
   * The next token is to be chosen.
   *
   * @param topLogprobs how many alternatives to tell; empty tells no probabilities
   */
  public record Output(int sampler, OptionalInt topLogprobs) {}

  /** Tokens of all runs together. */
  static int tokens(List<Run> runs) {
    int tokens = 0;
    for (Run run : runs) {
      tokens += run.tokens;
    }
    return tokens;
  }

  /** Fills the batch of a context that takes tokens. */
  static void fill(DecodeContext context, List<Run> runs, int[] tokens) {
    context.clearBatch();
    int next = 0;
    for (Run run : runs) {
      for (int i = 1; i <= run.tokens; i++) {
        boolean output = run.output != null && i == run.tokens;
        context.add(tokens[next++], run.position + i - 1, run.sequence, output);
      }
    }
  }
}
