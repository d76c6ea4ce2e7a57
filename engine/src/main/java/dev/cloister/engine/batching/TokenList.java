package dev.cloister.engine.batching;

import java.util.Arrays;

/** A growing list of tokens. Not thread-safe. */
final class TokenList {
  private int[] tokens;
  private int size;

  TokenList(int[] tokens) {
    this.tokens = tokens.clone();
    this.size = tokens.length;
  }

  int size() {
    return size;
  }

  int get(int index) {
    return tokens[index];
  }

  void add(int token) {
    if (size == tokens.length) {
      tokens = Arrays.copyOf(tokens, Math.max(16, size * 2));
    }
    tokens[size++] = token;
  }

  void truncate(int length) {
    size = Math.min(size, length);
  }

  /** How many of the first tokens are the same, looking at the first {@code limit} only. */
  int commonPrefix(TokenList other, int limit) {
    int most = Math.min(limit, Math.min(size, other.size));
    int mismatch = Arrays.mismatch(tokens, 0, most, other.tokens, 0, most);
    return mismatch < 0 ? most : mismatch;
  }

  /** A copy of the first tokens. */
  TokenList prefix(int length) {
    return new TokenList(Arrays.copyOf(tokens, Math.min(length, size)));
  }

  int[] toArray() {
    return Arrays.copyOf(tokens, size);
  }
}
