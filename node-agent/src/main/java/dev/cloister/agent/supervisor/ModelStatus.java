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

  /** The engine answers. */
  record Ready(ModelFacts facts) implements ModelStatus {}

  /**
   * @param error one sentence
   */
  record Failed(String error) implements ModelStatus {}
}
