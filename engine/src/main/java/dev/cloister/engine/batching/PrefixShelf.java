package dev.cloister.engine.batching;

import dev.cloister.engine.model.KeptState;
import dev.cloister.engine.stage.Pipeline;
import java.util.LinkedHashMap;
import java.util.List;

/**
 * States of sequences that have ended, in main memory beside the KV cache: there they slow no
 * answer down. At most so many bytes, and as many tokens as one request may have; the least
 * recently used go first. Belongs to the batcher's thread.
 *
 * <p>What lies here counts as held: the shelf takes that back for what it gives up.
 */
final class PrefixShelf {
  /** A sequence that has ended. */
  static final class Retained {
    /** Of the sequence that holds it, unless it is on the shelf. */
    final int id;

    final String tenant;
    final TokenList tokens;
    final MarkedPrompt prompt;

    /** Whether it was, or will not be, written to disk. */
    boolean stored;

    /** Whether the shelf has no room for it. */
    boolean tooLarge;

    Retained(int id, String tenant, TokenList tokens, MarkedPrompt prompt) {
      this.id = id;
      this.prompt = prompt;
      this.tenant = tenant;
      this.tokens = tokens;
    }

    /** Whether another one of the same tenant begins with all of it. */
    boolean begins(Retained other) {
      return tenant.equals(other.tenant)
          && tokens.commonPrefix(other.tokens, tokens.size()) == tokens.size();
    }
  }

  private final Pipeline pipeline;
  private final HeldPrefixes prefixes;
  private final long mostBytes;
  private final int mostTokens;

  /** Least recently used first. */
  private final LinkedHashMap<Retained, KeptState> states = new LinkedHashMap<>();

  private long bytes;
  private int tokens;

  PrefixShelf(Pipeline pipeline, BatchLimits limits, HeldPrefixes prefixes) {
    this.pipeline = pipeline;
    this.prefixes = prefixes;
    this.mostBytes = limits.shelfBytes();
    this.mostTokens = limits.contextTokens();
  }

  /** Whether anything is ever put here. */
  boolean used() {
    return mostBytes > 0;
  }

  /** Least recently used first. */
  List<Retained> all() {
    return List.copyOf(states.keySet());
  }

  /**
   * Copies what a sequence holds, unless something here begins with it.
   *
   * @return whether it is here now; it stays in its sequence all the same
   */
  boolean put(Retained ended) {
    if (!used()) {
      return false;
    }
    for (Retained longer : all()) {
      if (ended.begins(longer)) {
        touch(longer);
        prefixes.remove(ended.prompt, ended.tokens.size());
        return true;
      }
    }
    KeptState state = pipeline.keep(ended.id, needed -> makeRoom(ended, needed));
    if (state == null) {
      return false;
    }
    states.put(ended, state);
    bytes += state.bytes();
    tokens += ended.tokens.size();
    return true;
  }

  private boolean makeRoom(Retained coming, long needed) {
    int length = coming.tokens.size();
    if (needed > mostBytes || length > mostTokens) {
      return false;
    }
    for (Retained kept : all()) {
      if (kept.begins(coming) || bytes + needed > mostBytes || tokens + length > mostTokens) {
        drop(kept);
      }
    }
    return true;
  }

  /**
   * Copies a state back into an empty sequence. One that cannot be is given up.
   *
   * @return whether the sequence holds it now
   */
  boolean restore(Retained kept, int sequence) {
    KeptState state = states.get(kept);
    if (state == null) {
      return false;
    }
    if (!pipeline.restore(sequence, state)) {
      drop(kept);
      return false;
    }
    return true;
  }

  /** Notes that it is of use: it goes last. */
  void touch(Retained kept) {
    KeptState state = states.get(kept);
    if (state != null) {
      states.putLast(kept, state);
    }
  }

  void drop(Retained kept) {
    KeptState state = states.remove(kept);
    if (state != null) {
      bytes -= state.bytes();
      tokens -= kept.tokens.size();
      prefixes.remove(kept.prompt, kept.tokens.size());
      state.close();
    }
  }

  void clear() {
    all().forEach(this::drop);
  }
}
