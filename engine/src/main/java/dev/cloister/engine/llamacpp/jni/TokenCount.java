package dev.cloister.engine.llamacpp.jni;

import de.kherud.llama.LlamaModel;

/**
 * Counts generated tokens by the pieces that java-llama.cpp hands out, since it does not tell.
 *
 * <p>Each token yields a piece, an empty one where it has no text (the end of the answer), except
 * for tokens that leave a character incomplete: their bytes come with the piece that completes it.
 * How many there were follows from encoding that piece again: exact for byte-fallback vocabularies,
 * and right for others as long as the model chose the usual encoding.
 */
final class TokenCount {

  private static final char REPLACEMENT = '\uFFFD';

  private final LlamaModel model;
  private int tokens;
  private boolean lastWasEmpty;

  TokenCount(LlamaModel model) {
    this.model = model;
  }

  void add(String piece) {
    tokens += piece.chars().allMatch(c -> c < 0x80) ? 1 : tokensOf(piece);
    lastWasEmpty = piece.isEmpty();
  }

  int tokens() {
    return tokens;
  }

  /** Whether the last token had no text, as the one that ends an answer. */
  boolean lastWasEmpty() {
    return lastWasEmpty;
  }

  private int tokensOf(String piece) {
    // Bytes that belong to no character arrive as one replacement each, from one token each.
    int counted = (int) piece.chars().filter(c -> c == REPLACEMENT).count();
    for (int token : model.encode(piece.replace(String.valueOf(REPLACEMENT), ""))) {
      if (model.decode(new int[] {token}).indexOf(REPLACEMENT) >= 0) {
        counted++;
      }
    }
    return Math.max(1, counted);
  }
}
