package dev.cloister.engine.llamacpp;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.cloister.engine.llamacpp.capi.LlamaVersion;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;

/** A {@code llama_batch} that is allocated once; every token of it has one sequence. */
final class NativeBatch {

  private final int capacity;
  private final MemorySegment struct;
  private final MemorySegment tokens;
  private final MemorySegment positions;
  private final MemorySegment sequences;
  private final MemorySegment outputs;
  private int size;

  private NativeBatch(int capacity, Arena arena) {
    this.capacity = capacity;
    this.struct = arena.allocate(LlamaVersion.BATCH.layout());
    this.tokens = arena.allocate(JAVA_INT, capacity);
    this.positions = arena.allocate(JAVA_INT, capacity);
    this.sequences = arena.allocate(JAVA_INT, capacity);
    this.outputs = arena.allocate(capacity);
    MemorySegment counts = arena.allocate(JAVA_INT, capacity);
    MemorySegment lists = arena.allocate(ADDRESS, capacity);
    for (int place = 0; place < capacity; place++) {
      counts.setAtIndex(JAVA_INT, place, 1);
      lists.setAtIndex(
          ADDRESS, place, sequences.asSlice((long) place * Integer.BYTES, Integer.BYTES));
    }
    LlamaVersion.BATCH.set(struct, "pos", positions);
    LlamaVersion.BATCH.set(struct, "n_seq_id", counts);
    LlamaVersion.BATCH.set(struct, "seq_id", lists);
    LlamaVersion.BATCH.set(struct, "logits", outputs);
  }

  /** A batch made of tokens. */
  static NativeBatch ofTokens(int capacity, Arena arena) {
    NativeBatch batch = new NativeBatch(capacity, arena);
    LlamaVersion.BATCH.set(batch.struct, "token", batch.tokens);
    return batch;
  }

  /** A batch made of states, which lie in memory of the caller's. */
  static NativeBatch ofStates(int capacity, MemorySegment states, Arena arena) {
    NativeBatch batch = new NativeBatch(capacity, arena);
    LlamaVersion.BATCH.set(batch.struct, "embd", states);
    return batch;
  }

  void clear() {
    size = 0;
  }

  int size() {
    return size;
  }

  void requireRoom() {
    if (size == capacity) {
      throw new IllegalStateException("the batch is full: %d tokens".formatted(capacity));
    }
  }

  /** Adds a token and returns its place. The token's number is of no matter among states. */
  int add(int token, int position, int sequence, boolean output) {
    requireRoom();
    tokens.setAtIndex(JAVA_INT, size, token);
    positions.setAtIndex(JAVA_INT, size, position);
    sequences.setAtIndex(JAVA_INT, size, sequence);
    outputs.set(JAVA_BYTE, size, (byte) (output ? 1 : 0));
    return size++;
  }

  /**
   * The places in the order in which llama.cpp v0.5.0 computes a recurrent model's batch ({@code
   * llama_batch_allocr::split_equal}): in pieces with as many tokens of every sequence that has any
   * left, one sequence behind the other.
   */
  int[] equalPieces() {
    Map<Integer, Deque<Integer>> waiting = new LinkedHashMap<>();
    for (int place = 0; place < size; place++) {
      waiting.computeIfAbsent(sequence(place), _ -> new ArrayDeque<>()).add(place);
    }
    int[] places = new int[size];
    int done = 0;
    while (!waiting.isEmpty()) {
      int length = waiting.values().stream().mapToInt(Deque::size).min().getAsInt();
      for (Deque<Integer> sequence : waiting.values()) {
        for (int i = 0; i < length; i++) {
          places[done++] = sequence.remove();
        }
      }
      waiting.values().removeIf(Deque::isEmpty);
    }
    return places;
  }

  int sequence(int place) {
    return sequences.getAtIndex(JAVA_INT, place);
  }

  /** As it is now. */
  MemorySegment struct() {
    LlamaVersion.BATCH.set(struct, "n_tokens", size);
    return struct;
  }
}
