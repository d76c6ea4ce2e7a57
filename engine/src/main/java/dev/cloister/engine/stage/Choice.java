package dev.cloister.engine.stage;

import dev.cloister.engine.model.TokenProbabilities;
import org.jspecify.annotations.Nullable;

/** What came of choosing a token. */
public sealed interface Choice {

  /**
   * A token.
   *
   * @param probabilities null unless they were asked for
   */
  record Token(int token, @Nullable TokenProbabilities probabilities) implements Choice {}

  /** The sampler could not be made of what was asked for; one sentence for the caller. */
  record Refused(String reason) implements Choice {}

  /** The sampler failed; the reason is for the log, and tells nothing of the answer. */
  record Failed(String reason) implements Choice {}
}
