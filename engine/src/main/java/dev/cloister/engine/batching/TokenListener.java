package dev.cloister.engine.batching;

import dev.cloister.engine.generation.FailureCode;
import dev.cloister.engine.generation.FinishReason;
import dev.cloister.engine.generation.Usage;
import dev.cloister.engine.model.TokenProbabilities;
import org.jspecify.annotations.Nullable;

/**
 * Hears the tokens of one answer, on the batcher's thread, which must not be held up: at most one
 * {@code started}, then {@code token}, then exactly one of {@code finished} and {@code failed}.
 */
public interface TokenListener {

  /** The prompt has a slot now; so many of its tokens need no computing. */
  void started(int promptTokens, int cachedTokens);

  /**
   * The next token; never one that ends the answer.
   *
   * @param probabilities null unless they were asked for
   * @return whether the answer is to go on
   */
  boolean token(int token, @Nullable TokenProbabilities probabilities);

  /** The token that ends the answer and says nothing; {@link #finished} follows. */
  default void ending(int token) {}

  /** Whether more tokens are wanted now; while not, the sequence keeps its slot and waits. */
  boolean ready();

  /**
   * There are no more tokens.
   *
   * @param reason {@link FinishReason#STOP} also where {@link #token} wanted no more
   */
  void finished(FinishReason reason, Usage usage);

  /** There are no more tokens, for a reason that is one sentence. */
  void failed(FailureCode code, String message);
}
