package dev.cloister.engine.batching;

import dev.cloister.engine.generation.Sampling;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Tokens to be continued.
 *
 * @param prompt at least one token
 * @param resumed tokens that were generated for it before, and count as such; with the prompt fewer
 *     than the context holds
 * @param grammar in GBNF
 * @param maxTokens to be generated at most; 0 means as many as the context holds
 * @param topLogprobs how many alternatives to tell with each token; empty tells no probabilities
 * @param tenant whose request it is: prefixes are shared within a tenant only
 * @param marks of beginnings of the prompt, shortest first
 */
@SuppressWarnings("ArrayRecordComponent") // Handed over to its one reader; nobody compares it.
public record TokenRequest(
    int[] prompt,
    int[] resumed,
    Sampling sampling,
    Optional<String> grammar,
    int maxTokens,
    OptionalInt topLogprobs,
    String tenant,
    List<Long> marks) {

  public TokenRequest {
    marks = List.copyOf(marks);
  }

  /** Nothing was generated before. */
  public TokenRequest(
      int[] prompt,
      Sampling sampling,
      Optional<String> grammar,
      int maxTokens,
      OptionalInt topLogprobs,
      String tenant) {
    this(prompt, new int[0], sampling, grammar, maxTokens, topLogprobs, tenant, List.of());
  }

  /** Without the prompt: this may reach a log. */
  @Override
  public String toString() {
    return "TokenRequest[promptTokens=%d, maxTokens=%d]".formatted(prompt.length, maxTokens);
  }
}
