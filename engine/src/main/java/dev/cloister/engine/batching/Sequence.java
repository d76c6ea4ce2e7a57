package dev.cloister.engine.batching;

import dev.cloister.engine.generation.FailureCode;
import dev.cloister.engine.generation.FinishReason;
import dev.cloister.engine.generation.Usage;
import dev.cloister.engine.model.DecodeContext;
import dev.cloister.engine.model.DecodeException;
import dev.cloister.engine.model.TokenSampler;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One answer on its way: waiting, computing its prompt, or generating. A listener that throws costs
 * its own answer, and no other. Belongs to the batcher's thread.
 */
final class Sequence {
  private static final Logger log = LoggerFactory.getLogger(Sequence.class);

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
    for (int token : request.resumed()) {
      tokens.add(token);
    }
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

  /** Makes the sampler, which outlives a sequence's slot. */
  void openSampler(DecodeContext context) {
    if (sampler != null) {
      return;
    }
    TokenSampler made = context.newSampler(request.sampling(), request.grammar());
    sampler = made;
    if (request.sampling().penalizes()) {
      for (int token : request.prompt()) {
        made.accept(token, false);
      }
    }
    try {
      for (int token : request.resumed()) {
        made.accept(token, true);
      }
    } catch (DecodeException e) {
      throw new IllegalArgumentException("resume: " + e.getMessage(), e);
    }
  }

  void closeSampler() {
    if (sampler != null) {
      sampler.close();
      sampler = null;
    }
  }

  /** Tells that it has its slot, once; whether that went well. */
  boolean tellStarted() {
    if (started) {
      return true;
    }
    started = true;
    cachedAtStart = Math.min(computed, promptTokens());
    return tell(heard -> heard.started(promptTokens(), cachedAtStart));
  }

  void tellFinished(FinishReason reason, Usage usage) {
    if (!tell(heard -> heard.finished(reason, usage))) {
      tellFailed(FailureCode.INTERNAL, "the engine failed at the end of the answer; try again");
    }
  }

  void tellFailed(FailureCode code, String message) {
    tell(heard -> heard.failed(code, message));
  }

  /** Whether the listener wants a token; one that cannot tell fails at its next one. */
  boolean ready() {
    try {
      return listener.ready();
    } catch (RuntimeException e) {
      logFailure(e);
      return true;
    }
  }

  private boolean tell(Consumer<TokenListener> news) {
    try {
      news.accept(listener);
      return true;
    } catch (RuntimeException | StackOverflowError e) {
      logFailure(e);
      return false;
    }
  }

  /** What listeners say may be of the answer; what the engine says is not. */
  static void logFailure(Throwable failure) {
    boolean ours = failure instanceof DecodeException;
    log.warn("an answer failed: {}", ours ? failure.getMessage() : failure.getClass().getName());
    log.debug("an answer failed", failure);
  }
}
