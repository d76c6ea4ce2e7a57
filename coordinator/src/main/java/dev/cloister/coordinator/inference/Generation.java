package dev.cloister.coordinator.inference;

import java.util.List;

/**
 * One generation, independent of the model and of where it runs.
 *
 * @param maxTokens tokens to generate at most; 0 means as many as the context holds
 * @param stop the answer ends before the first of these; at most {@value #MAX_STOPS}, none empty
 */
public record Generation(Prompt prompt, Sampling sampling, int maxTokens, List<String> stop) {

  /** How many stop sequences a request may name. */
  public static final int MAX_STOPS = 16;

  public Generation {
    stop = List.copyOf(stop);
    if (maxTokens < 0) {
      throw new InvalidGenerationException(
          "max_tokens", "max_tokens is " + maxTokens + " (expected: 1 or more)");
    }
    if (stop.size() > MAX_STOPS) {
      throw new InvalidGenerationException(
          "stop", "stop has " + stop.size() + " sequences (expected: at most " + MAX_STOPS + ")");
    }
    if (stop.contains("")) {
      throw new InvalidGenerationException("stop", "a stop sequence is empty");
    }
  }

  /** Neither prompt nor stop sequences: this may reach a log. */
  @Override
  public String toString() {
    return "Generation[prompt of "
        + prompt.characters()
        + " characters, maxTokens="
        + maxTokens
        + "]";
  }
}
