package dev.cloister.engine.generation;

import java.util.List;

/**
 * One answer that is asked for.
 *
 * @param maxTokens tokens to generate at most; 0 means as many as the context holds
 * @param stop the answer ends before the first of these; at most {@value #MAX_STOPS}, none empty
 */
public record Generation(Prompt prompt, Sampling sampling, int maxTokens, List<String> stop) {

  /** The longest list of stop sequences. */
  public static final int MAX_STOPS = 16;

  public Generation {
    stop = List.copyOf(stop);
    if (maxTokens < 0) {
      throw new IllegalArgumentException("max_tokens: " + maxTokens + " (expected: 0 or more)");
    }
    if (stop.size() > MAX_STOPS) {
      throw new IllegalArgumentException(
          "stop: %d sequences (expected: at most %d)".formatted(stop.size(), MAX_STOPS));
    }
    if (stop.contains("")) {
      throw new IllegalArgumentException("stop: a sequence is empty (expected: some text)");
    }
  }

  @Override
  public String toString() {
    return "Generation[prompt=%s, maxTokens=%d, stops=%d]"
        .formatted(prompt, maxTokens, stop.size());
  }
}
