package dev.cloister.agent.supervisor;

import dev.cloister.agent.engine.ModelFacts;

/** How a served model is doing. */
public sealed interface ModelStatus {
  /**
   * @param progress 0 to 1
   */
  record Fetching(double progress) implements ModelStatus {}

  /**
   * @param progress 0 to 1
   */
  record Loading(double progress) implements ModelStatus {}

  /**
   * A stage is loaded; its pipeline is not closed, or it is not the first stage.
   *
   * @param residentBytes memory that the engine's process takes; 0 if unknown
   */
  record Staged(long residentBytes) implements ModelStatus {}

  /**
   * The engine answers.
   *
   * @param residentBytes memory that the engine's process takes; 0 if unknown
   */
  record Ready(ModelFacts facts, long residentBytes) implements ModelStatus {}

  /**
   * @param error one sentence
   */
  record Failed(String error) implements ModelStatus {}
}
