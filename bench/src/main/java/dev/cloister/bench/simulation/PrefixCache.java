package dev.cloister.bench.simulation;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a node's engine holds of prompts: those that it answers now, and of those that it answered
 * the latest ones, so many tokens in all. It tells which marks it holds and drops, of prompts only,
 * as Cloister's engine does: an answer is held, too, but has no marks.
 */
final class PrefixCache {
  private static final int DROPPED = -1;

  private final int mostTokens;
  private final List<Held> running = new ArrayList<>();
  private final Deque<Held> retained = new ArrayDeque<>();
  private int retainedTokens;
  private final Map<Long, Integer> holders = new HashMap<>();
  private final Map<Long, Integer> news = new LinkedHashMap<>();

  /** The prompt, with its answer once that is complete, and the marks of the prompt alone. */
  record Held(Prompt state, List<Long> marks) {}

  /**
   * What changed since the last time.
   *
   * @param tokens of each beginning that is held now
   */
  record Told(List<Long> held, List<Integer> tokens, List<Long> dropped) {
    boolean isEmpty() {
      return held.isEmpty() && dropped.isEmpty();
    }
  }

  PrefixCache(int mostTokens) {
    this.mostTokens = mostTokens;
  }

  /** Tokens of a prompt that need not be computed; the last one always has to be. */
  int find(Prompt prompt) {
    int most = 0;
    for (Held held : running) {
      most = Math.max(most, held.state.common(prompt));
    }
    for (Held held : retained) {
      most = Math.max(most, held.state.common(prompt));
    }
    return Math.min(most, prompt.tokens() - 1);
  }

  /** Takes a prompt that is computed; what it goes on from is no state of its own any more. */
  Held computed(Prompt prompt) {
    Held held = new Held(prompt, prompt.marks());
    hold(held);
    List<Held> covered =
        retained.stream()
            .filter(other -> other.state.common(prompt) == other.state.tokens())
            .toList();
    covered.forEach(this::drop);
    running.add(held);
    return held;
  }

  /** Retains what was answered, and drops what there is no room for. */
  void ended(Held held, int answerTokens) {
    running.remove(held);
    Held whole = new Held(held.state.extended(answerTokens), held.marks);
    retained.addLast(whole);
    retainedTokens += whole.state.tokens();
    while (retainedTokens > mostTokens) {
      drop(retained.getFirst());
    }
  }

  private void hold(Held held) {
    int tokens = 0;
    for (Long mark : held.marks) {
      tokens += Prompt.BLOCK_TOKENS;
      if (holders.merge(mark, 1, Integer::sum) == 1) {
        news.put(mark, tokens);
      }
    }
  }

  private void drop(Held held) {
    retained.remove(held);
    retainedTokens -= held.state.tokens();
    for (Long mark : held.marks) {
      int others = holders.getOrDefault(mark, 0) - 1;
      if (others == 0) {
        holders.remove(mark);
        news.put(mark, DROPPED);
      } else {
        holders.put(mark, others);
      }
    }
  }

  /** What changed since this was last asked. */
  Told tell() {
    List<Long> held = new ArrayList<>();
    List<Integer> tokens = new ArrayList<>();
    List<Long> dropped = new ArrayList<>();
    news.forEach(
        (mark, count) -> {
          if (count == DROPPED) {
            dropped.add(mark);
          } else {
            held.add(mark);
            tokens.add(count);
          }
        });
    news.clear();
    return new Told(held, tokens, dropped);
  }
}
