package dev.cloister.engine.batching;

import dev.cloister.engine.generation.PrefixNews;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which marked beginnings of prompts some sequence holds, for whoever wants to know. News are
 * gathered for up to a second, unless an answer has ended. Belongs to the batcher's thread.
 */
final class HeldPrefixes {
  private static final Logger log = LoggerFactory.getLogger(HeldPrefixes.class);
  private static final long LONGEST_DELAY_NANOS = 1_000_000_000;

  private final boolean wholeOnly;
  private final Map<Long, Held> all = new HashMap<>();
  private final Set<Long> changed = new LinkedHashSet<>();
  private @Nullable Consumer<PrefixNews> listener;
  private boolean urgent;
  private long toldNanos;

  private static final class Held {
    final int tokens;
    int sequences;
    boolean told;

    Held(int tokens) {
      this.tokens = tokens;
    }
  }

  /**
   * @param wholeOnly whether a part of what a sequence holds is of no use: then its longest
   *     beginning alone counts
   */
  HeldPrefixes(boolean wholeOnly) {
    this.wholeOnly = wholeOnly;
  }

  /** Notes that one more sequence holds the first tokens of a prompt. */
  void add(MarkedPrompt prompt, int tokens) {
    int count = prompt.within(tokens);
    for (int i = first(count); i < count; i++) {
      long mark = prompt.marks().get(i);
      int atMark = prompt.tokensAt(i);
      Held held = all.computeIfAbsent(mark, unknown -> new Held(atMark));
      held.sequences++;
      if (held.sequences == 1) {
        changed.add(mark);
      }
    }
  }

  /** Takes an addition with the same values back. */
  void remove(MarkedPrompt prompt, int tokens) {
    int count = prompt.within(tokens);
    for (int i = first(count); i < count; i++) {
      long mark = prompt.marks().get(i);
      Held held = all.get(mark);
      if (held != null) {
        held.sequences--;
        if (held.sequences == 0) {
          changed.add(mark);
        }
      }
    }
  }

  private int first(int count) {
    return wholeOnly ? Math.max(0, count - 1) : 0;
  }

  /** Nothing is held any more. */
  void clear() {
    all.forEach(
        (mark, held) -> {
          held.sequences = 0;
          changed.add(mark);
        });
    urgent = true;
  }

  /** An answer has ended: the next request may be the next of its conversation. */
  void hurry() {
    urgent = true;
  }

  /**
   * Tells everything that is held, and what changes from now on, in place of who was told before.
   */
  void watch(Consumer<PrefixNews> newListener) {
    listener = newListener;
    changed.clear();
    all.values().removeIf(held -> held.sequences == 0);
    List<Long> marks = new ArrayList<>(all.keySet());
    List<Integer> tokens = new ArrayList<>(marks.size());
    for (long mark : marks) {
      Held held = all.get(mark);
      if (held != null) {
        held.told = true;
        tokens.add(held.tokens);
      }
    }
    tell(new PrefixNews(true, marks, tokens, List.of()));
  }

  /** Whether there are news; with nobody to tell them to, they wait. */
  boolean hasNews() {
    return listener != null && !changed.isEmpty();
  }

  /** Tells the news if it is time. */
  void tell(long nanos) {
    if (!urgent && nanos - toldNanos < LONGEST_DELAY_NANOS) {
      return;
    }
    urgent = false;
    toldNanos = nanos;
    List<Long> marks = new ArrayList<>();
    List<Integer> tokens = new ArrayList<>();
    List<Long> dropped = new ArrayList<>();
    for (long mark : changed) {
      Held held = all.get(mark);
      if (held == null) {
        continue;
      }
      if (held.sequences == 0) {
        all.remove(mark);
        if (held.told) {
          dropped.add(mark);
        }
      } else if (!held.told) {
        held.told = true;
        marks.add(mark);
        tokens.add(held.tokens);
      }
    }
    changed.clear();
    if (!marks.isEmpty() || !dropped.isEmpty()) {
      tell(new PrefixNews(false, marks, tokens, dropped));
    }
  }

  private void tell(PrefixNews news) {
    if (listener != null) {
      try {
        listener.accept(news);
      } catch (RuntimeException e) {
        log.warn("news of prefixes could not be told", e);
        listener = null;
      }
    }
  }
}
