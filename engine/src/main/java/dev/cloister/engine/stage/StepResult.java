package dev.cloister.engine.stage;

import java.util.List;

/**
 * What came of a step.
 *
 * @param choices one for each run with an output, in order
 * @param failure not empty: a stage failed, in one sentence; what the step's sequences hold is
 *     unknown
 */
public record StepResult(List<Choice> choices, String failure) implements StageFrame.Content {

  public StepResult {
    choices = List.copyOf(choices);
  }

  static StepResult failed(String reason) {
    return new StepResult(List.of(), reason);
  }
}
