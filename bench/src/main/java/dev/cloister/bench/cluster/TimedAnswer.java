package dev.cloister.bench.cluster;

import java.io.IOException;
import java.util.List;

/**
 * An answer, and when its pieces came, in nanoseconds of this process's clock.
 *
 * @param tokens of it, as the engine counts
 * @param askedNanos before the request was sent
 * @param pieceNanos of each piece with text
 */
record TimedAnswer(int tokens, long askedNanos, List<Long> pieceNanos) {
  /**
   * @throws IOException if it is empty
   */
  static TimedAnswer of(int tokens, long askedNanos, List<Long> pieceNanos) throws IOException {
    if (pieceNanos.isEmpty()) {
      throw new IOException("an answer is empty (expected: " + tokens + " tokens)");
    }
    return new TimedAnswer(tokens, askedNanos, List.copyOf(pieceNanos));
  }

  double millisToFirstToken() {
    return (pieceNanos.getFirst() - askedNanos) / 1e6;
  }

  /** All tokens over the time from the request to the last piece. */
  double tokensPerSecond() {
    return tokens * 1e9 / (pieceNanos.getLast() - askedNanos);
  }

  /** The longest time between two pieces. */
  double longestPauseSeconds() {
    long longest = 0;
    for (int i = 1; i < pieceNanos.size(); i++) {
      longest = Math.max(longest, pieceNanos.get(i) - pieceNanos.get(i - 1));
    }
    return longest / 1e9;
  }
}
