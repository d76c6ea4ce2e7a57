package dev.cloister.coordinator.inference;

import java.util.Map;
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
 * @param typicalP locally typical sampling; above 0, at most 1, which turns it off
 * @param seed 0 or more
 * @param frequencyPenalty -2 to 2
 * @param presencePenalty -2 to 2
 * @param repeatPenalty above 0, at most 2; 1 turns it off
 * @param repeatLastN over how many of the last tokens the penalties look; 0 turns them off
 * @param logitBias added to the logits of these tokens, -100 to 100; at most {@value #MAX_BIASES}
 */
public record Sampling(
    OptionalDouble temperature,
    OptionalDouble topP,
    OptionalInt topK,
    OptionalDouble minP,
    OptionalDouble typicalP,
    OptionalLong seed,
    OptionalDouble frequencyPenalty,
    OptionalDouble presencePenalty,
    OptionalDouble repeatPenalty,
    OptionalInt repeatLastN,
    Map<Integer, Float> logitBias) {

  /** How many tokens a request may give a bias. */
  public static final int MAX_BIASES = 1024;

  /** The engine's defaults throughout. */
  public static final Sampling DEFAULT =
      new Sampling(
          OptionalDouble.empty(),
          OptionalDouble.empty(),
          OptionalInt.empty(),
          OptionalDouble.empty(),
          OptionalDouble.empty(),
          OptionalLong.empty(),
          OptionalDouble.empty(),
          OptionalDouble.empty(),
          OptionalDouble.empty(),
          OptionalInt.empty(),
          Map.of());

  public Sampling {
    logitBias = Map.copyOf(logitBias);
    checkRange("temperature", temperature, 0, 2);
    checkRange("top_p", topP, Double.MIN_VALUE, 1);
    checkRange("min_p", minP, 0, 1);
    checkRange("typical_p", typicalP, Double.MIN_VALUE, 1);
    checkRange("frequency_penalty", frequencyPenalty, -2, 2);
    checkRange("presence_penalty", presencePenalty, -2, 2);
    checkRange("repeat_penalty", repeatPenalty, Double.MIN_VALUE, 2);
    checkNotNegative("top_k", topK.orElse(0));
    checkNotNegative("seed", seed.orElse(0));
    checkNotNegative("repeat_last_n", repeatLastN.orElse(0));
    if (logitBias.size() > MAX_BIASES) {
      throw new InvalidGenerationException(
          "logit_bias",
          "logit_bias has " + logitBias.size() + " tokens (expected: at most " + MAX_BIASES + ")");
    }
    logitBias.forEach(
        (token, bias) -> {
          checkNotNegative("logit_bias", token);
          checkRange("logit_bias", OptionalDouble.of(bias), -100, 100);
        });
  }

  /** The same with a seed that is this much higher, if it has one at all. */
  Sampling withSeedPlus(int number) {
    return new Sampling(
        temperature,
        topP,
        topK,
        minP,
        typicalP,
        // Behind the greatest seed comes 0.
        seed.isPresent() ? OptionalLong.of((seed.getAsLong() + number) & Long.MAX_VALUE) : seed,
        frequencyPenalty,
        presencePenalty,
        repeatPenalty,
        repeatLastN,
        logitBias);
  }

  private static void checkNotNegative(String name, long value) {
    if (value < 0) {
      throw new InvalidGenerationException(name, name + " is " + value + " (expected: 0 or more)");
    }
  }

  private static void checkRange(String name, OptionalDouble value, double least, double most) {
    // Written so that NaN fails as well.
    if (value.isPresent() && !(value.getAsDouble() >= least && value.getAsDouble() <= most)) {
      String range =
          least == Double.MIN_VALUE
              ? "above 0, at most %.0f".formatted(most)
              : least + " to " + most;
      throw new InvalidGenerationException(
          name, name + " is " + value.getAsDouble() + " (expected: " + range + ")");
    }
  }
}
