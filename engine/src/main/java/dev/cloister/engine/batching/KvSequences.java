package dev.cloister.engine.batching;

import dev.cloister.engine.batching.PrefixShelf.Retained;
import dev.cloister.engine.stage.Pipeline;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which sequence of the pipeline holds what, and for whom. A sequence that has ended is retained,
 * in its cells or on the shelf, and a new prompt of the same tenant that begins alike takes it over
 * or copies its beginning; so it does with sequences that are still running. What there is no room
 * for is given up, the least recently used first. Belongs to the batcher's thread.
 */
final class KvSequences {
  /** Shorter beginnings are not worth a sequence of their own. */
  private static final int LEAST_RETAINED = 16;

  /** So much of a prompt must be under way elsewhere for the prompt to wait for it. */
  private static final int WORTH_WAITING = 64;

  private final Pipeline pipeline;
  private final boolean recurrent;
  private final int mostRetained;
  private final @Nullable PrefixStore store;
  private final ArrayDeque<Integer> free = new ArrayDeque<>();
  private final Map<Integer, Sequence> active = new HashMap<>();

  /** In their cells, least recently used first. */
  private final LinkedHashMap<Integer, Retained> retained = new LinkedHashMap<>();

  private final HeldPrefixes prefixes;
  private final PrefixShelf shelf;
  private int retainedTokens;

  KvSequences(Pipeline pipeline, BatchLimits limits, @Nullable PrefixStore store) {
    this.pipeline = pipeline;
    this.recurrent = limits.recurrent();
    this.mostRetained = limits.retainedTokens();
    this.store = store;
    this.prefixes = new HeldPrefixes(recurrent);
    this.shelf = new PrefixShelf(pipeline, limits, prefixes);
    reset();
  }

  /** Forgets everything: all sequences of the pipeline are empty. */
  void reset() {
    shelf.clear();
    prefixes.clear();
    active.values().forEach(sequence -> sequence.told = 0);
    active.clear();
    retained.clear();
    retainedTokens = 0;
    free.clear();
    for (int id = 0; id < pipeline.sequences(); id++) {
      free.add(id);
    }
  }

  /** Whether it pays to let a prompt wait, since a running sequence is computing its beginning. */
  boolean betterSoon(Sequence sequence) {
    if (active.isEmpty()) {
      return false;
    }
    int limit = sequence.tokens.size() - 1;
    int soon = 0;
    int now = 0;
    for (Sequence other : active.values()) {
      if (other.request.tenant().equals(sequence.request.tenant())) {
        int common = other.tokens.commonPrefix(sequence.tokens, limit);
        boolean computing = other.uncomputed() > 1 && !recurrent;
        soon = Math.max(soon, computing ? common : 0);
        now = Math.max(now, usable(common, other.computed));
      }
    }
    if (soon - now < WORTH_WAITING) {
      return false;
    }
    now = Math.max(now, shared(longest(retained.values(), sequence, limit), sequence, limit));
    now = Math.max(now, shared(longest(shelf.all(), sequence, limit), sequence, limit));
    return soon - now >= WORTH_WAITING;
  }

  /** Gives a sequence its place in the pipeline, with as much of its beginning as is there. */
  void place(Sequence sequence) {
    // The last token is always computed: its logits choose the next one.
    int limit = sequence.tokens.size() - 1;
    Retained bestRetained = longest(retained.values(), sequence, limit);
    Sequence bestActive = null;
    int best = shared(bestRetained, sequence, limit);
    for (Sequence other : active.values()) {
      if (other.request.tenant().equals(sequence.request.tenant())) {
        int common = usable(other.tokens.commonPrefix(sequence.tokens, limit), other.computed);
        if (common > best) {
          best = common;
          bestActive = other;
        }
      }
    }
    Retained shelved = longest(shelf.all(), sequence, limit);
    int onShelf = shared(shelved, sequence, limit);
    if (onShelf < best + LEAST_RETAINED) {
      shelved = null;
    }
    if (store != null && !recurrent) {
      int enough = LEAST_RETAINED + (shelved == null ? best : onShelf);
      PrefixStore.Entry stored =
          store.longest(sequence.request.tenant(), sequence.tokens, limit, enough);
      if (stored != null && restore(stored, sequence, limit, bestRetained)) {
        return;
      }
    }
    if (shelved != null && restore(shelved, sequence, onShelf, bestRetained)) {
      return;
    }
    if (bestActive != null) {
      int id = unused(null);
      pipeline.copy(bestActive.id, id, best);
      begin(sequence, id, best);
    } else if (bestRetained != null) {
      begin(sequence, reuse(bestRetained, best), best);
    } else {
      begin(sequence, unused(null), 0);
    }
  }

  private void begin(Sequence sequence, int id, int cached) {
    sequence.id = id;
    sequence.computed = cached;
    active.put(id, sequence);
    tell(sequence, cached);
  }

  /** Which beginnings of prompts are held. */
  HeldPrefixes prefixes() {
    return prefixes;
  }

  /** Notes that the prompt of a sequence is computed. */
  void promptComputed(Sequence sequence) {
    tell(sequence, sequence.promptTokens());
  }

  private void tell(Sequence sequence, int tokens) {
    int held = Math.min(tokens, sequence.promptTokens());
    if (held != sequence.told) {
      prefixes.add(sequence.marked(), held);
      prefixes.remove(sequence.marked(), sequence.told);
      sequence.told = held;
    }
  }

  /** Goes on with a retained sequence itself, or leaves it for others where much of it is left. */
  private int reuse(Retained kept, int common) {
    if (!goesOn(kept, common) && (!free.isEmpty() || retained.size() > 1)) {
      int id = unused(kept);
      pipeline.copy(kept.id, id, common);
      retained.putLast(kept.id, kept);
      return id;
    }
    forget(kept);
    if (common < kept.tokens.size()) {
      pipeline.truncate(kept.id, common);
    }
    return kept.id;
  }

  private static boolean goesOn(Retained kept, int common) {
    return common * 4L >= kept.tokens.size() * 3L;
  }

  /** Takes what a prompt goes on with off the shelf; what others may want stays there, too. */
  private boolean restore(
      Retained shelved, Sequence sequence, int common, @Nullable Retained spared) {
    shelf.touch(shelved);
    int id = unused(spared);
    if (!shelf.restore(shelved, id)) {
      drop(id);
      return false;
    }
    if (common < shelved.tokens.size()) {
      pipeline.truncate(id, common);
    }
    begin(sequence, id, common);
    if (goesOn(shelved, common)) {
      shelf.drop(shelved);
    }
    return true;
  }

  /** The one spared is what remains if the stored state turns out to be of no use. */
  private boolean restore(
      PrefixStore.Entry stored, Sequence sequence, int limit, @Nullable Retained spared) {
    int id = unused(spared);
    int held = store == null ? 0 : store.restore(id, stored);
    int common = Math.min(held, stored.tokens().commonPrefix(sequence.tokens, limit));
    if (common == 0) {
      drop(id);
      return false;
    }
    if (common < held) {
      pipeline.truncate(id, common);
    }
    begin(sequence, id, common);
    return true;
  }

  /** Ends a sequence; what was computed of it is retained where that may be of use. */
  void release(Sequence sequence) {
    active.remove(sequence.id);
    prefixes.hurry();
    sequence.tokens.truncate(sequence.computed);
    if (sequence.computed < LEAST_RETAINED) {
      tell(sequence, 0);
      drop(sequence.id);
      return;
    }
    Retained kept =
        new Retained(
            sequence.id,
            sequence.request.tenant(),
            sequence.tokens.prefix(sequence.computed),
            sequence.marked());
    prefixes.add(kept.prompt, kept.tokens.size());
    tell(sequence, 0);
    for (Retained other : List.copyOf(retained.values())) {
      if (other.begins(kept) && !recurrent) {
        giveUp(other);
      }
    }
    retained.put(kept.id, kept);
    retainedTokens += kept.tokens.size();
    while (retainedTokens > mostRetained && retained.size() > 1) {
      evict();
    }
  }

  /**
   * Frees what lies beside the pipeline's own memory: it ends, or a stage may not have its part.
   */
  void clearShelf() {
    shelf.clear();
  }

  /** Ends a sequence whose state is unknown or must make room. */
  void discard(Sequence sequence) {
    active.remove(sequence.id);
    tell(sequence, 0);
    drop(sequence.id);
    sequence.id = -1;
    sequence.computed = 0;
  }

  /**
   * Has retained sequences leave their cells while answers are made: attention on a processor reads
   * all up to the last cell in use.
   */
  void clearCells() {
    if (!shelf.used() || active.isEmpty()) {
      return;
    }
    for (Retained kept : List.copyOf(retained.values())) {
      if (!kept.tooLarge) {
        kept.tooLarge = !shelve(kept);
      }
    }
  }

  /** Moves a retained sequence to the shelf; whether there was room. */
  private boolean shelve(Retained kept) {
    if (!shelf.put(kept)) {
      return false;
    }
    forgetCells(kept);
    drop(kept.id);
    return true;
  }

  /**
   * Frees the cells of the retained sequence that was not used for the longest time; whether there
   * was one.
   */
  boolean evict() {
    if (retained.isEmpty()) {
      return false;
    }
    evict(retained.values().iterator().next());
    return true;
  }

  /** Gives up what is in cells, of which nobody knows what they hold. */
  void giveUpCells() {
    List.copyOf(retained.values()).forEach(this::giveUp);
  }

  private void evict(Retained kept) {
    if (!shelve(kept)) {
      giveUp(kept);
    }
  }

  /** Writes nothing: a state may have gigabytes, and every answer would wait for the disk. */
  private void giveUp(Retained kept) {
    forget(kept);
    drop(kept.id);
  }

  /**
   * Writes one retained sequence to disk that is not there yet, which takes a while: for when no
   * answer is made. Whether there was one.
   */
  boolean storeOne() {
    if (store == null) {
      return false;
    }
    for (Retained kept : retained.values()) {
      if (store.claim(kept)) {
        store.save(kept.id, kept);
        return true;
      }
    }
    for (Retained kept : shelf.all()) {
      if (store.claim(kept)) {
        int id = unused(null);
        if (shelf.restore(kept, id)) {
          store.save(id, kept);
        }
        drop(id);
        return true;
      }
    }
    return false;
  }

  /** Writes all that is not there yet. */
  void storeAll() {
    boolean stored = true;
    while (stored) {
      stored = storeOne();
    }
  }

  /** An empty sequence, which a retained one other than {@code spared} may have to make way for. */
  private int unused(@Nullable Retained spared) {
    if (free.isEmpty()) {
      for (Retained kept : retained.values()) {
        if (kept != spared) {
          evict(kept);
          break;
        }
      }
    }
    return free.pop();
  }

  private void drop(int id) {
    pipeline.remove(id);
    free.push(id);
  }

  private void forget(Retained kept) {
    forgetCells(kept);
    prefixes.remove(kept.prompt, kept.tokens.size());
  }

  private void forgetCells(Retained kept) {
    retained.remove(kept.id);
    retainedTokens -= kept.tokens.size();
  }

  /** Which of them shares most with a prompt; null if none shares anything. */
  private @Nullable Retained longest(Collection<Retained> all, Sequence sequence, int limit) {
    Retained longest = null;
    int most = 0;
    for (Retained kept : all) {
      int common = shared(kept, sequence, limit);
      if (common > most) {
        most = common;
        longest = kept;
      }
    }
    return longest;
  }

  private int shared(@Nullable Retained kept, Sequence sequence, int limit) {
    return kept != null && kept.tenant.equals(sequence.request.tenant())
        ? usable(kept.tokens.commonPrefix(sequence.tokens, limit), kept.tokens.size())
        : 0;
  }

  /** How much of a common beginning can be used of a sequence that holds so many tokens. */
  private int usable(int common, int held) {
    if (recurrent) {
      return common == held ? common : 0;
    }
    return Math.min(common, held);
  }
}
