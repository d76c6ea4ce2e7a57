package dev.cloister.engine.generation;

import java.util.List;

/**
 * What changed of the beginnings of prompts whose state is held. A mark names a beginning; marks
 * come with requests and mean nothing here but equality.
 *
 * @param whole whether this is everything, and nothing told before holds
 * @param held marks of beginnings that are held now
 * @param tokens of each of them
 * @param dropped marks of beginnings that are not held any more
 */
public record PrefixNews(boolean whole, List<Long> held, List<Integer> tokens, List<Long> dropped) {
  public PrefixNews {
    held = List.copyOf(held);
    tokens = List.copyOf(tokens);
    dropped = List.copyOf(dropped);
  }
}
