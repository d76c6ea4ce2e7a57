package dev.cloister.engine.batching;

import dev.cloister.engine.generation.FailureCode;
import dev.cloister.engine.generation.FinishReason;
import dev.cloister.engine.generation.Usage;
import dev.cloister.engine.model.DecodeException;
import dev.cloister.engine.model.TokenProbabilities;
import dev.cloister.engine.model.Vocabulary;
import dev.cloister.engine.stage.StageOperation.OpenSampler;
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

  /** Number of its sampler, which outlives its slot; -1 before it has one. */
  int sampler = -1;

  /** Number in the context; -1 without a slot. */
  int id = -1;

  /** How many of {@link #tokens} the KV cache holds. */
  int computed;

  /** How many tokens of its prompt were there when it got its slot. */
  int cachedAtStart;

  /** Of how many of its tokens others were told that they are held. */
  int told;

  boolean started;

  /** Steps under way that compute tokens of it. */
  int underWay;

  /** Whether nobody waits for it any more. */
  boolean ended;

  /** Whether a step with its last token has failed already. */
  boolean computedAgain;

  Sequence(TokenRequest request, TokenListener listener) {
    this.request = request;
    this.listener = listener;
    this.tokens = new TokenList(request.prompt());
    for (int token : request.resumed()) {
      tokens.add(token);
    }
  }

  /** The prompt with the marks of its beginnings. */
  MarkedPrompt marked() {
    return new MarkedPrompt(request.marks(), promptTokens());
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
    return generated() > 0 && uncomputed() <= 1;
  }

  /** What makes its sampler. */
  OpenSampler sampler(int number) {
    return new OpenSampler(
        number,
        request.sampling(),
        request.grammar(),
        request.sampling().penalizes() ? request.prompt() : new int[0],
        request.resumed());
  }

  /** Takes the next token, and tells why it is the last one, or null. */
  @Nullable FinishReason take(
      int token,
      @Nullable TokenProbabilities probabilities,
      Vocabulary vocabulary,
      int contextTokens) {
    tokens.add(token);
    if (vocabulary.endsGeneration(token)) {
      listener.ending(token);
      return FinishReason.STOP;
    }
    if (!listener.token(token, probabilities)) {
      return FinishReason.STOP;
    }
    boolean last = generated() == request.maxTokens() || tokens.size() >= contextTokens;
    return last ? FinishReason.LENGTH : null;
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
