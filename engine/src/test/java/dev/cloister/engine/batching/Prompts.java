package dev.cloister.engine.batching;

import dev.cloister.engine.generation.Sampling;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.IntStream;

/** What tests ask for. */
final class Prompts {

  private Prompts() {}

  static TokenRequest request(int[] prompt, int most, String tenant) {
    return new TokenRequest(
        prompt, Sampling.GREEDY, Optional.empty(), most, OptionalInt.empty(), tenant);
  }

  static TokenRequest constrained(int[] prompt, String grammar, int most) {
    return new TokenRequest(
        prompt, Sampling.GREEDY, Optional.of(grammar), most, OptionalInt.empty(), "t");
  }

  static int[] prompt(int seed, int length) {
    return new Random(seed).ints(length, 1, FakeVocabulary.SIZE).toArray();
  }

  static int[] joined(int[]... parts) {
    return IntStream.range(0, parts.length).flatMap(i -> IntStream.of(parts[i])).toArray();
  }
}
