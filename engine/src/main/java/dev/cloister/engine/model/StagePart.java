package dev.cloister.engine.model;

/**
 * Which of a model's layers a loaded model has, and with them what goes in and what comes out: a
 * pipeline's first stage takes tokens, its last one gives logits, and in between hidden states go
 * from stage to stage.
 */
public enum StagePart {
  /** All layers. */
  WHOLE,
  /** The first layers and the embeddings of tokens. */
  FIRST,
  /** Layers with others before and behind them. */
  MIDDLE,
  /** The last layers and the output. */
  LAST;

  /** Whether batches are made of tokens; otherwise of hidden states. */
  public boolean takesTokens() {
    return this == WHOLE || this == FIRST;
  }

  /** Whether logits come out; otherwise hidden states. */
  public boolean givesLogits() {
    return this == WHOLE || this == LAST;
  }
}
