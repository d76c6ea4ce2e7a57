package dev.cloister.coordinator.inference;

import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * How tokens are drawn; what is empty follows the engine's defaults.
 *
 * @param temperature 0 (greedy) to 2
 * @param topP above 0, at most 1
 * @param topK 0 means all
 * @param minP 0 to 1
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

  /** The engine's defaults throughout. */
  public static final Sampling DEFAULT =
      new Sampling(
          OptionalDouble.empty(),
          OptionalDouble.empty(),
          OptionalInt.empty(),
          OptionalDouble.empty(),
          OptionalLong.empty(),
          OptionalDouble.empty(),
          OptionalDouble.empty());

  public Sampling {
    checkRange("temperature", temperature, 0, 2);
    checkRange("top_p", topP, Double.MIN_VALUE, 1);
    checkRange("min_p", minP, 0, 1);
    checkRange("frequency_penalty", frequencyPenalty, -2, 2);
    checkRange("presence_penalty", presencePenalty, -2, 2);
    if (topK.isPresent() && topK.getAsInt() < 0) {
      throw new InvalidGenerationException(
          "top_k", "top_k is " + topK.getAsInt() + " (expected: 0 or more)");
    }
    if (seed.isPresent() && seed.getAsLong() < 0) {
      throw new InvalidGenerationException(
          "seed", "seed is " + seed.getAsLong() + " (expected: 0 or more)");
    }
  }

  private static void checkRange(String name, OptionalDouble value, double least, double most) {
    // Written so that NaN fails as well.
    if (value.isPresent() && !(value.getAsDouble() >= least && value.getAsDouble() <= most)) {
      String range = least == Double.MIN_VALUE ? "above 0, at most 1" : least + " to " + most;
      throw new InvalidGenerationException(
          name, name + " is " + value.getAsDouble() + " (expected: " + range + ")");
    }
  }
}
