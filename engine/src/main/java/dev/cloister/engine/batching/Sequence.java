package dev.cloister.engine.batching;

import dev.cloister.engine.model.TokenSampler;
import org.jspecify.annotations.Nullable;

/**
 * One answer on its way: waiting, computing its prompt, or generating. Belongs to the batcher's
 * thread.
 */
final class Sequence {
  final TokenRequest request;
  final TokenListener listener;

  /** The prompt and what was generated. */
  final TokenList tokens;

  @Nullable TokenSampler sampler;

  /** Number in the context; -1 without a slot. */
  int id = -1;

  /** How many of {@link #tokens} the KV cache holds. */
  int computed;

  /** How many tokens of its prompt were there when it got its slot. */
  int cachedAtStart;

  boolean started;

  /** Place of its last token in the batch under way; -1 if no output is wanted. */
  int place = -1;

  /** Tokens of it in the batch under way. */
  int inBatch;

  Sequence(TokenRequest request, TokenListener listener) {
    this.request = request;
    this.listener = listener;
    this.tokens = new TokenList(request.prompt());
  }

  int promptTokens() {
    return request.prompt().length;
  }

  int generated() {
    return tokens.size() - promptTokens();
  }

  int uncomputed() {
    return tokens.size() - computed;
  }

  /** Whether one token at a time is computed: the one that was chosen last. */
  boolean generating() {
    return generated() > 0 && uncomputed() == 1;
  }
}
