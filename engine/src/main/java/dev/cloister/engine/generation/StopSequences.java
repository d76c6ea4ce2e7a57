package dev.cloister.engine.generation;

import java.util.List;

/**
 * Lets an answer through up to its first stop sequence, and holds back what may be the start of
 * one. Of sequences that start at the same place, the one that is complete first ends the answer.
 * Not thread-safe.
 */
public final class StopSequences {

  private final List<String> sequences;
  private final StringBuilder held = new StringBuilder();
  private boolean reached;

  public StopSequences(List<String> sequences) {
    this.sequences = List.copyOf(sequences);
  }

  /**
   * Takes the next piece and returns what may be shown of the answer now, often the piece itself.
   */
  public String accept(String piece) {
    if (reached) {
      return "";
    }
    if (sequences.isEmpty()) {
      return piece;
    }
    held.append(piece);
    int end = firstMatch();
    if (end >= 0) {
      reached = true;
      held.setLength(end);
      return rest();
    }
    int safe = held.length() - longestStart();
    String shown = held.substring(0, safe);
    held.delete(0, safe);
    return shown;
  }

  /** Whether a stop sequence came up. */
  public boolean reached() {
    return reached;
  }

  /** What is still held back, once no more pieces follow. */
  public String rest() {
    String rest = held.toString();
    held.setLength(0);
    return rest;
  }

  private int firstMatch() {
    int first = -1;
    for (String sequence : sequences) {
      int at = held.indexOf(sequence);
      if (at >= 0 && (first < 0 || at < first)) {
        first = at;
      }
    }
    return first;
  }

  /** Length of the longest end of the held text that is the start of a sequence. */
  private int longestStart() {
    int longest = 0;
    for (String sequence : sequences) {
      int most = Math.min(sequence.length() - 1, held.length());
      for (int length = most; length > longest; length--) {
        String end = held.substring(held.length() - length);
        if (sequence.startsWith(end)) {
          longest = length;
        }
      }
    }
    return longest;
  }
}
