package dev.cloister.engine.generation;

import java.util.List;

/**
 * What was made of an answer before it came here: the engine that made it was lost. Its tokens
 * count as generated, and what they say is not told again.
 *
 * @param tokens in their order
 * @param toldParts how many parts the last token gave rise to that were told; those that were not
 *     are told first
 */
public record Beginning(List<Integer> tokens, int toldParts) {

  /** Of an answer that begins here. */
  public static final Beginning NONE = new Beginning(List.of(), 0);

  public Beginning {
    tokens = List.copyOf(tokens);
  }

  public boolean isEmpty() {
    return tokens.isEmpty();
  }

  /** Without the tokens: this may reach a log. */
  @Override
  public String toString() {
    return "Beginning[tokens=%d]".formatted(tokens.size());
  }
}
