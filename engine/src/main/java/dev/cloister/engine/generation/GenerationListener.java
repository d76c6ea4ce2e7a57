package dev.cloister.engine.generation;

/**
 * Hears one answer: at most one {@code started}, any number of {@code token} and {@code part}, then
 * exactly one of {@code finished} and {@code failed}. Calls never overlap, and return at once: many
 * answers share the thread that makes them.
 */
public interface GenerationListener {

  /**
   * The prompt was accepted.
   *
   * @param cachedTokens how many of the prompt's tokens need no computing
   */
  void started(int promptTokens, int cachedTokens);

  /**
   * The next token was chosen; the parts that it gives rise to follow, if there are any. Not called
   * by engines that do not know their tokens.
   */
  default void token(int token) {}

  /** The next piece of the answer. */
  void part(AnswerPart part);

  /**
   * Whether more pieces are wanted now. While they are not, the answer waits, and others go on;
   * {@link LoadedModel.Running#resume} ends the wait.
   */
  default boolean ready() {
    return true;
  }

  /** The answer is complete. */
  void finished(FinishReason reason, Usage usage);

  /** There is no answer, or no more of it. */
  void failed(RequestException why);
}
