package dev.cloister.coordinator.routing;

import com.google.common.primitives.Ints;
import dev.cloister.coordinator.inference.Beginning;
import java.util.Arrays;
import java.util.List;

/** What of an answer its caller was told, and the tokens that said it. Not thread-safe. */
final class AnswerSoFar {
  private int[] tokens = new int[16];
  private int size;
  private int events;

  /**
   * Takes a piece that the caller is told.
   *
   * @param made the tokens that came with it
   */
  void add(List<Integer> made) {
    if (made.isEmpty()) {
      events++;
      return;
    }
    tokens = Ints.ensureCapacity(tokens, size + made.size(), size);
    for (int token : made) {
      tokens[size++] = token;
    }
    events = 1;
  }

  /** How many tokens said it. */
  int tokens() {
    return size;
  }

  boolean isEmpty() {
    return events == 0;
  }

  /** Whether another node can go on with it: not where the engine did not tell its tokens. */
  boolean canGoOn() {
    return isEmpty() || size > 0;
  }

  void clear() {
    size = 0;
    events = 0;
  }

  Beginning beginning() {
    return size == 0
        ? Beginning.NONE
        : new Beginning(Ints.asList(Arrays.copyOf(tokens, size)), events);
  }
}
