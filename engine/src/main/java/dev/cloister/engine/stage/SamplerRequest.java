package dev.cloister.engine.stage;

import dev.cloister.engine.generation.Sampling;
import java.util.Optional;

/**
 * What a sampler is made of.
 *
 * @param grammar in GBNF, with the root {@code root}
 * @param prompt tokens that penalties look back on; empty where there are none
 * @param generated tokens of an answer that is continued, by which the grammar has gone on
 */
@SuppressWarnings("ArrayRecordComponent") // Handed over to its one reader; nobody compares it.
public record SamplerRequest(
    Sampling sampling, Optional<String> grammar, int[] prompt, int[] generated) {

  /** Without the tokens: this may reach a log. */
  @Override
  public String toString() {
    return "SamplerRequest[promptTokens=%d, generatedTokens=%d]"
        .formatted(prompt.length, generated.length);
  }
}
