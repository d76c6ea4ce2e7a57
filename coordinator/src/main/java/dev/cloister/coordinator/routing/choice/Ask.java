package dev.cloister.coordinator.routing.choice;

/**
 * What a request is expected to take.
 *
 * @param promptTokens of its prompt, estimated
 * @param answerTokens of its answer, estimated
 */
public record Ask(int promptTokens, int answerTokens) {
  public Ask {
    if (promptTokens < 0 || answerTokens < 0) {
      throw new IllegalArgumentException(
          "%d and %d tokens (expected: >= 0)".formatted(promptTokens, answerTokens));
    }
  }
}
