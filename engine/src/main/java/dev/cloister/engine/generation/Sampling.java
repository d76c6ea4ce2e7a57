package dev.cloister.engine.generation;

import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * How the next token is chosen. What is absent is left to the engine.
 *
 * @param temperature 0 (greedy) to 2
 * @param topP above 0, at most 1
 * @param topK 0 means all tokens
 * @param minP 0 to 1
 * @param seed equal seeds give equal answers; any value
 * @param frequencyPenalty -2 to 2
 * @param presencePenalty -2 to 2
 */
public record Sampling(
    OptionalDouble temperature,
    OptionalDouble topP,
    OptionalInt topK,
    OptionalDouble minP,
    OptionalLong seed,
    OptionalDouble frequencyPenalty,
    OptionalDouble presencePenalty) {

  /** Everything left to the engine. */
  public static final Sampling DEFAULTS =
      new Sampling(
          OptionalDouble.empty(),
          OptionalDouble.empty(),
          OptionalInt.empty(),
          OptionalDouble.empty(),
          OptionalLong.empty(),
          OptionalDouble.empty(),
          OptionalDouble.empty());

  /** Always the most likely token. */
  public static final Sampling GREEDY =
      new Sampling(
          OptionalDouble.of(0),
          OptionalDouble.empty(),
          OptionalInt.empty(),
          OptionalDouble.empty(),
          OptionalLong.empty(),
          OptionalDouble.empty(),
          OptionalDouble.empty());

  public Sampling {
    requireWithin("temperature", temperature, 0, 2);
    requireWithin("top_p", topP, Double.MIN_VALUE, 1);
    requireWithin("min_p", minP, 0, 1);
    requireWithin("frequency_penalty", frequencyPenalty, -2, 2);
    requireWithin("presence_penalty", presencePenalty, -2, 2);
    if (topK.isPresent() && topK.getAsInt() < 0) {
      throw new IllegalArgumentException("top_k: " + topK.getAsInt() + " (expected: 0 or more)");
    }
  }

  private static void requireWithin(
      String name, OptionalDouble optional, double least, double most) {
    if (optional.isEmpty()) {
      return;
    }
    double value = optional.getAsDouble();
    // Not a number compares as false, and is refused with it.
    if (!(value >= least && value <= most)) {
      String from = least == Double.MIN_VALUE ? "above 0" : "%.0f".formatted(least);
      throw new IllegalArgumentException(
          "%s: %s (expected: %s to %.0f)".formatted(name, value, from, most));
    }
  }
}
