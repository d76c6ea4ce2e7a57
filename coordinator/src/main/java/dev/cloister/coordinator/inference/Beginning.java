package dev.cloister.coordinator.inference;

import java.util.List;

/**
 * What was made of an answer by nodes that were lost, so that another one can go on with it.
 *
 * @param tokens in their order
 * @param toldEvents how many events the last token gave rise to that reached the caller
 */
public record Beginning(List<Integer> tokens, int toldEvents) {

  /** Of an answer that nothing was told of. */
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
    return "Beginning[tokens=" + tokens.size() + "]";
  }
}
