package dev.cloister.client;

import java.util.List;

/**
 * A token and how likely it was at its place, before sampling changed it.
 *
 * @param id in the model's vocabulary
 * @param text what it stands for; a part of a character is U+FFFD
 * @param logprob natural logarithm of the probability
 * @param alternatives the most likely tokens at this place, most likely first, as many as were
 *     asked for; they have none themselves
 */
public record TokenLogprob(int id, String text, double logprob, List<TokenLogprob> alternatives) {

  public TokenLogprob {
    alternatives = List.copyOf(alternatives);
  }

  /** 0 to 1. */
  public double probability() {
    return Math.exp(logprob);
  }

  /** Without the text: this may reach a log. */
  @Override
  public String toString() {
    return "TokenLogprob[" + id + "]";
  }
}
