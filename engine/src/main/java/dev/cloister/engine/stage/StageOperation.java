package dev.cloister.engine.stage;

import dev.cloister.engine.generation.Sampling;
import java.util.Optional;

/** What is done to sequences and samplers between steps; see {@link Pipeline}. */
public sealed interface StageOperation {
  record Remove(int sequence) implements StageOperation {}

  record Truncate(int sequence, int fromPosition) implements StageOperation {}

  record Copy(int from, int to, int tokens) implements StageOperation {}

  record Defragment() implements StageOperation {}

  /**
   * Copies a sequence's state into main memory; the sequence stays as it is.
   *
   * @param key any number that no other state has
   */
  record Keep(int sequence, int key) implements StageOperation {}

  /**
   * Copies a state back; the copy stays.
   *
   * @param sequence an empty one
   */
  record Restore(int key, int sequence) implements StageOperation {}

  /** Frees the memory of a state. */
  record Forget(int key) implements StageOperation {}

  /**
   * Makes a sampler for one sequence.
   *
   * @param sampler any number that none has
   * @param grammar in GBNF, with the root {@code root}
   * @param prompt tokens that penalties look back on; empty where there are none
   * @param generated tokens of an answer that is continued, by which the grammar has gone on
   */
  @SuppressWarnings("ArrayRecordComponent") // Handed over to its one reader; nobody compares it.
  record OpenSampler(
      int sampler, Sampling sampling, Optional<String> grammar, int[] prompt, int[] generated)
      implements StageOperation {

    /** Without the tokens: this may reach a log. */
    @Override
    public String toString() {
      return "OpenSampler[sampler=%d, promptTokens=%d, generatedTokens=%d]"
          .formatted(sampler, prompt.length, generated.length);
    }
  }

  record CloseSampler(int sampler) implements StageOperation {}
}
