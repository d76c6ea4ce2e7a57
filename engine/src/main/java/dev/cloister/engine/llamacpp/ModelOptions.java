package dev.cloister.engine.llamacpp;

/**
 * How a model is loaded.
 *
 * @param contextTokens tokens that one request may use; 0 means as many as the model was trained
 *     for, at most {@value #DEFAULT_CONTEXT_TOKENS}. Never more than the model was trained for.
 * @param slots requests answered at the same time; 0 means {@value #DEFAULT_SLOTS}
 * @param threads threads that compute; 0 leaves it to llama.cpp
 */
public record ModelOptions(int contextTokens, int slots, int threads) {

  static final int DEFAULT_CONTEXT_TOKENS = 8192;
  static final int DEFAULT_SLOTS = 4;
  private static final int MAX_SLOTS = 256;

  public ModelOptions {
    require("context", contextTokens, Integer.MAX_VALUE);
    require("slots", slots, MAX_SLOTS);
    require("threads", threads, 1024);
  }

  public int slotsOrDefault() {
    return slots == 0 ? DEFAULT_SLOTS : slots;
  }

  public int contextTokensFor(int trainedContextTokens) {
    int wanted = contextTokens == 0 ? DEFAULT_CONTEXT_TOKENS : contextTokens;
    return Math.min(wanted, trainedContextTokens);
  }

  private static void require(String name, int value, int most) {
    if (value < 0 || value > most) {
      throw new IllegalArgumentException("%s: %d (expected: 0 to %d)".formatted(name, value, most));
    }
  }
}
