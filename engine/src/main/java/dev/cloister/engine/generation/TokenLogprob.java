package dev.cloister.engine.generation;

import java.util.List;

/**
 * A generated token and how likely it and its alternatives were, before sampling changed it.
 *
 * @param top the most likely tokens at this place, most likely first
 */
public record TokenLogprob(Choice token, List<Choice> top) {

  /**
   * One token that could stand at a place.
   *
   * @param text UTF-8; may be a part of a character
   * @param logprob natural logarithm of the probability
   */
  @SuppressWarnings("ArrayRecordComponent") // A value on its way to the wire; nobody compares it.
  public record Choice(int id, byte[] text, float logprob) {

    /** Without the text: this may reach a log. */
    @Override
    public String toString() {
      return "Choice[id=" + id + "]";
    }
  }
}
