package dev.cloister.coordinator.inference;

import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * A token of an answer and how likely it and others were at its place.
 *
 * @param top the most likely tokens there, most likely first
 */
public record TokenLogprob(Choice token, List<Choice> top) {
  public TokenLogprob {
    top = List.copyOf(top);
  }

  /**
   * A token that could stand at a place.
   *
   * @param bytes UTF-8; may be a part of a character
   * @param logprob natural logarithm of the probability before sampling changed it
   */
  @SuppressWarnings("ArrayRecordComponent") // On its way to the wire; nobody compares it.
  public record Choice(int id, byte[] bytes, float logprob) {

    /** The bytes as text; what is no whole character becomes U+FFFD. */
    public String text() {
      return new String(bytes, StandardCharsets.UTF_8);
    }

    /** Without the text: this may reach a log. */
    @Override
    public String toString() {
      return "Choice[" + id + "]";
    }
  }
}
