package dev.cloister.engine.generation;

/**
 * Hears one answer: at most one {@code started}, any number of {@code text}, then exactly one of
 * {@code finished} and {@code failed}. Calls never overlap. {@code text} may block to slow the
 * reading of the answer down; it must return soon after the generation was cancelled.
 */
public interface GenerationListener {

  /** The prompt was accepted and has this many tokens. */
  void started(int promptTokens);

  /** The next piece of the answer: not empty, whole characters. */
  void text(String piece);

  /** The answer is complete. */
  void finished(FinishReason reason, Usage usage);

  /** There is no answer, or no more of it; the message is one sentence for the caller. */
  void failed(FailureCode code, String message);
}
