package dev.cloister.engine.stage;

import dev.cloister.engine.model.DecodeContext;
import dev.cloister.engine.model.KeptState;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a later stage has in main memory of sequences that left their cells, under numbers that the
 * first stage chose. That decides what is kept, by its own part and by the tokens of one request; a
 * stage that has no room for its part goes without. Not thread-safe.
 */
final class StageShelf {
  private final DecodeContext context;
  private final long mostBytes;
  private final int mostTokens;
  private final Map<Integer, Part> parts = new HashMap<>();
  private long bytes;
  private int tokens;

  /**
   * @param state null where there was no room, or where it is unknown what the sequence held
   */
  private record Part(@Nullable KeptState state, int tokens) {}

  /**
   * @param mostBytes 0 keeps nothing
   * @param mostTokens of all states; who wants to keep more must not
   */
  StageShelf(DecodeContext context, long mostBytes, int mostTokens) {
    this.context = context;
    this.mostBytes = mostBytes;
    this.mostTokens = mostTokens;
  }

  /**
   * Copies what a sequence holds.
   *
   * @param held tokens of the sequence; 0 or less if that is unknown
   */
  void keep(int sequence, int key, int held) throws StageException {
    if (parts.containsKey(key)) {
      throw new StageException("state %s is kept already".formatted(Integer.toUnsignedString(key)));
    }
    // One that is unknown counts as well, so that they do not pile up.
    int coming = Math.max(1, held);
    if (coming > mostTokens - tokens) {
      throw new StageException(
          "%d tokens are to be kept beside %d (expected: at most %d together)"
              .formatted(coming, tokens, mostTokens));
    }
    KeptState state =
        held > 0 ? context.keep(sequence, needed -> needed <= mostBytes - bytes) : null;
    parts.put(key, new Part(state, coming));
    bytes += state == null ? 0 : state.bytes();
    tokens += coming;
  }

  /**
   * Copies a state back into an empty sequence.
   *
   * @return the tokens that it holds then; 0 if there was no state to copy, or no room
   */
  int restore(int key, int sequence) throws StageException {
    Part part = parts.get(key);
    if (part == null) {
      throw unknown(key);
    }
    return part.state != null && context.restore(sequence, part.state) ? part.tokens : 0;
  }

  void forget(int key) throws StageException {
    Part part = parts.remove(key);
    if (part == null) {
      throw unknown(key);
    }
    tokens -= part.tokens;
    if (part.state != null) {
      bytes -= part.state.bytes();
      part.state.close();
    }
  }

  private static StageException unknown(int key) {
    return new StageException("state %s is not kept".formatted(Integer.toUnsignedString(key)));
  }

  void clear() {
    for (Part part : parts.values()) {
      if (part.state != null) {
        part.state.close();
      }
    }
    parts.clear();
    bytes = 0;
    tokens = 0;
  }
}
