package dev.cloister.engine.llamacpp;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.cloister.engine.llamacpp.capi.LlamaFunctions;
import dev.cloister.engine.llamacpp.capi.NativeMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The tokens that may come next and their logits, as samplers want them: {@code
 * llama_token_data_array} of {@code llama_token_data}. One is filled over and over.
 */
final class Candidates {

  // llama_token_data: i32 id, f32 logit, f32 probability.
  private static final int WORDS = 3;
  private static final long LOGIT = Integer.BYTES;
  private static final long CANDIDATE_BYTES = (long) WORDS * Integer.BYTES;
  // llama_token_data_array: pointer data, size_t size, i64 selected, bool sorted.
  private static final long SIZE = 8;
  private static final long SELECTED = 16;
  private static final long SORTED = 24;
  private static final long ARRAY_BYTES = 32;

  private final LlamaFunctions llama;
  private final MemorySegment array;
  private final MemorySegment data;
  private final int[] words;

  Candidates(LlamaFunctions llama, int tokens, Arena arena) {
    this.llama = llama;
    this.array = arena.allocate(ARRAY_BYTES, Long.BYTES);
    this.data = arena.allocate(tokens * CANDIDATE_BYTES, Integer.BYTES);
    this.words = new int[tokens * WORDS];
  }

  /** All tokens, with their logits; throws DecodeException for one that is not a number. */
  Candidates all(float[] logits) {
    for (int token = 0; token < logits.length; token++) {
      Logits.requireNumber(logits[token]);
      words[token * WORDS] = token;
      words[token * WORDS + 1] = Float.floatToRawIntBits(logits[token]);
    }
    MemorySegment.copy(words, 0, data, JAVA_INT, 0, words.length);
    return of(logits.length);
  }

  /** One token only. */
  Candidates only(int token) {
    data.set(JAVA_INT, 0, token);
    data.set(JAVA_FLOAT, LOGIT, 1);
    return of(1);
  }

  private Candidates of(int count) {
    array.set(JAVA_LONG, 0, data.address());
    array.set(JAVA_LONG, SIZE, count);
    array.set(JAVA_LONG, SELECTED, -1);
    array.set(JAVA_BYTE, SORTED, (byte) 0);
    return this;
  }

  /** Lets a sampler, or a chain of them, do its work. */
  Candidates apply(long sampler) {
    llama.samplerApply.run(sampler, array.address());
    return this;
  }

  /** Whether a token is left that can come. */
  boolean anyPossible() {
    MemorySegment left = left();
    for (long at = LOGIT; at < left.byteSize(); at += CANDIDATE_BYTES) {
      if (left.get(JAVA_FLOAT, at) != Float.NEGATIVE_INFINITY) {
        return true;
      }
    }
    return false;
  }

  /** The token that the last sampler of the chain has selected. */
  int selected() {
    return left().get(JAVA_INT, array.get(JAVA_LONG, SELECTED) * CANDIDATE_BYTES);
  }

  /** Samplers may put another array in the place of ours. */
  private MemorySegment left() {
    return NativeMemory.at(array.get(JAVA_LONG, 0), array.get(JAVA_LONG, SIZE) * CANDIDATE_BYTES);
  }
}
