package dev.cloister.engine.stage;

import dev.cloister.engine.model.TokenProbabilities;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What came of a step.
 *
 * @param choices one for each run with an output, in order
 * @param failure not empty: a stage failed, in one sentence; what the step's sequences hold is
 *     unknown
 */
public record StepResult(List<Choice> choices, String failure) implements StageFrame.Content {

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

  public StepResult {
    choices = List.copyOf(choices);
  }

  static StepResult failed(String reason) {
    return new StepResult(List.of(), reason);
  }
}
