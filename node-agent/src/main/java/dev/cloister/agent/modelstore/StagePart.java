package dev.cloister.agent.modelstore;

/** What of a model a stage's file holds. */
public sealed interface StagePart {
  /** The layers from {@code first} to before {@code end}. */
  record Layers(int first, int end) implements StagePart {
    public Layers {
      if (first < 0 || end <= first) {
        throw new IllegalArgumentException(
            "layers: %d to %d (expected: one at least)".formatted(first, end));
      }
    }
  }

  /** The tokenizer and the embedding of tokens. */
  record Lexicon() implements StagePart {}
}
