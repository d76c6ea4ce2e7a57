package dev.cloister.engine.model;

/**
 * Chooses the tokens of one sequence. To be used by the thread of its context, and closed before
 * it.
 */
public interface TokenSampler extends AutoCloseable {

  /** Chooses a token by the logits at a place of the batch, and remembers it. */
  int sample(int place);

  /**
   * Remembers a token that was not chosen here but belongs to the sequence.
   *
   * @param generated whether it is part of the answer, so that the grammar goes on by it; tokens of
   *     a prompt only count for penalties
   */
  void accept(int token, boolean generated);

  @Override
  void close();
}
