package dev.cloister.engine.batching;

import dev.cloister.engine.generation.Sampling;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Tokens to be continued.
 *
 * @param prompt at least one token, fewer than the context holds
 * @param grammar in GBNF
 * @param maxTokens to be generated at most; 0 means as many as the context holds
 * @param topLogprobs how many alternatives to tell with each token; empty tells no probabilities
 * @param tenant whose request it is: prefixes are shared within a tenant only
 */
@SuppressWarnings("ArrayRecordComponent") // Handed over to its one reader; nobody compares it.
public record TokenRequest(
    int[] prompt,
    Sampling sampling,
    Optional<String> grammar,
    int maxTokens,
    OptionalInt topLogprobs,
    String tenant) {

  /** Without the prompt: this may reach a log. */
  @Override
  public String toString() {
    return "TokenRequest[promptTokens=%d, maxTokens=%d]".formatted(prompt.length, maxTokens);
  }
}
