package dev.cloister.engine.generation;

import java.util.Map;
import java.util.OptionalLong;

/**
 * How the next token is chosen. The filters work in the order llama.cpp's server has: logit bias,
 * penalties, top-k, typical, top-p, min-p, temperature.
 *
 * @param temperature 0 (greedy) to 2
 * @param topK the most likely tokens that stay; 0 means all
 * @param topP the most likely tokens that have this probability together stay; above 0, at most 1
 * @param minP tokens less likely than this part of the most likely one go; 0 to 1
 * @param typicalP locally typical sampling; above 0, at most 1, which turns it off
 * @param repeatPenalty divides what was said already; above 0, at most 2; 1 turns it off
 * @param frequencyPenalty -2 to 2
 * @param presencePenalty -2 to 2
 * @param penaltyTokens over how many of the last tokens the penalties look; 0 turns them off
 * @param seed equal seeds give equal answers; any value
 * @param logitBias added to the logits of these tokens, -100 to 100; at most {@value #MAX_BIASES}
 */
public record Sampling(
    double temperature,
    int topK,
    double topP,
    double minP,
    double typicalP,
    double repeatPenalty,
    double frequencyPenalty,
    double presencePenalty,
    int penaltyTokens,
    OptionalLong seed,
    Map<Integer, Float> logitBias) {

  /** The longest list of biases. */
  public static final int MAX_BIASES = 1024;

  private static final double POSITIVE = Double.MIN_VALUE;

  /** What llama.cpp's server does when nothing is asked. */
  public static final Sampling DEFAULTS = new Builder().build();

  /** Always the most likely token. */
  public static final Sampling GREEDY = new Builder().temperature(0).build();

  public Sampling {
    logitBias = Map.copyOf(logitBias);
    requireWithin("temperature", temperature, 0, 2);
    requireWithin("top_k", topK, 0, Integer.MAX_VALUE);
    requireWithin("top_p", topP, POSITIVE, 1);
    requireWithin("min_p", minP, 0, 1);
    requireWithin("typical_p", typicalP, POSITIVE, 1);
    requireWithin("repeat_penalty", repeatPenalty, POSITIVE, 2);
    requireWithin("frequency_penalty", frequencyPenalty, -2, 2);
    requireWithin("presence_penalty", presencePenalty, -2, 2);
    requireWithin("repeat_last_n", penaltyTokens, 0, Integer.MAX_VALUE);
    logitBias.values().forEach(bias -> requireWithin("logit_bias", bias, -100, 100));
    if (logitBias.size() > MAX_BIASES) {
      throw new IllegalArgumentException(
          "logit_bias: %d tokens (expected: at most %d)".formatted(logitBias.size(), MAX_BIASES));
    }
  }

  /** Whether the most likely token is always chosen. */
  public boolean greedy() {
    return temperature == 0;
  }

  /** Whether any penalty has an effect. */
  public boolean penalizes() {
    return penaltyTokens > 0
        && (repeatPenalty != 1 || frequencyPenalty != 0 || presencePenalty != 0);
  }

  private static void requireWithin(String name, double value, double least, double most) {
    // Not a number compares as false, and is refused with it.
    if (!(value >= least && value <= most)) {
      String from = least == POSITIVE ? "above 0" : "%.0f".formatted(least);
      String to = most == Integer.MAX_VALUE ? "or more" : "to %.0f".formatted(most);
      throw new IllegalArgumentException(
          "%s: %s (expected: %s %s)".formatted(name, value, from, to));
    }
  }

  /** Starts from the defaults. Not thread-safe. */
  public static final class Builder {
    private double temperature = 0.8;
    private int topK = 40;
    private double topP = 0.95;
    private double minP = 0.05;
    private double typicalP = 1;
    private double repeatPenalty = 1;
    private double frequencyPenalty;
    private double presencePenalty;
    private int penaltyTokens = 64;
    private OptionalLong seed = OptionalLong.empty();
    private Map<Integer, Float> logitBias = Map.of();

    public Builder temperature(double value) {
      temperature = value;
      return this;
    }

    public Builder topK(int value) {
      topK = value;
      return this;
    }

    public Builder topP(double value) {
      topP = value;
      return this;
    }

    public Builder minP(double value) {
      minP = value;
      return this;
    }

    public Builder typicalP(double value) {
      typicalP = value;
      return this;
    }

    public Builder repeatPenalty(double value) {
      repeatPenalty = value;
      return this;
    }

    public Builder frequencyPenalty(double value) {
      frequencyPenalty = value;
      return this;
    }

    public Builder presencePenalty(double value) {
      presencePenalty = value;
      return this;
    }

    public Builder penaltyTokens(int value) {
      penaltyTokens = value;
      return this;
    }

    public Builder seed(long value) {
      seed = OptionalLong.of(value);
      return this;
    }

    public Builder logitBias(Map<Integer, Float> value) {
      logitBias = value;
      return this;
    }

    /** Throws IllegalArgumentException, in one sentence, for a value out of range. */
    public Sampling build() {
      return new Sampling(
          temperature,
          topK,
          topP,
          minP,
          typicalP,
          repeatPenalty,
          frequencyPenalty,
          presencePenalty,
          penaltyTokens,
          seed,
          logitBias);
    }
  }
}
