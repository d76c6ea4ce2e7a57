package dev.cloister.engine.batching;

import java.util.List;

/**
 * A prompt as far as the marks of its beginnings go, which are evenly spaced over it.
 *
 * @param marks of beginnings, shortest first
 * @param tokens of the whole prompt
 */
record MarkedPrompt(List<Long> marks, int tokens) {

  /** What is behind the last mark is half a space on average. */
  int tokensAt(int index) {
    return (int) ((index + 1) * (double) tokens / (marks.size() + 0.5));
  }

  /** How many of the beginnings are within the first tokens. */
  int within(int held) {
    int count = (int) Math.min(marks.size(), held * (marks.size() + 0.5) / tokens);
    return count > 0 && tokensAt(count - 1) > held ? count - 1 : count;
  }
}
