package dev.cloister.engine.llamacpp.states;

import dev.cloister.engine.llamacpp.capi.LlamaFunctions;
import dev.cloister.engine.model.KeptState;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/**
 * The states of one context's sequences, copied out and in. The context must be open, the numbers
 * of sequences valid. Not thread-safe.
 */
public final class SequenceStates {
  private final LlamaFunctions llama;
  private final long context;
  private final String origin;
  private final int cells;

  /**
   * @param context its address
   * @param origin equal only where contexts can exchange states through files
   * @param cells tokens whose state fits
   */
  public SequenceStates(LlamaFunctions llama, long context, String origin, int cells) {
    this.llama = llama;
    this.context = context;
    this.origin = origin;
    this.cells = cells;
  }

  private record InMemory(SequenceStates owner, Arena arena, MemorySegment state)
      implements KeptState {
    @Override
    public long bytes() {
      return state.byteSize();
    }

    @Override
    public void close() {
      arena.close();
    }
  }

  /**
   * Copies a state into main memory.
   *
   * @param room is asked once whether there is room for so many bytes
   * @return null if there is none
   */
  public @Nullable KeptState keep(int sequence, LongPredicate room) {
    long bytes = llama.stateSize.toLong(context, sequence);
    if (bytes == 0 || !room.test(bytes)) {
      return null;
    }
    Arena arena = Arena.ofShared();
    try {
      MemorySegment memory = arena.allocate(bytes, Long.BYTES);
      if (get(sequence, memory) == bytes) {
        return new InMemory(this, arena, memory);
      }
    } catch (OutOfMemoryError e) {
      // The machine has less than was planned with: the state is not kept.
    }
    arena.close();
    return null;
  }

  /**
   * Copies a state back into an empty sequence, which is empty again if that fails.
   *
   * @throws IllegalArgumentException for the state of another context
   */
  public boolean restore(int sequence, KeptState kept) {
    if (!(kept instanceof InMemory memory) || !memory.owner.equals(this)) {
      throw new IllegalArgumentException("the state was kept by another context");
    }
    return set(sequence, memory.state);
  }

  /** Writes a state, and the tokens that the sequence holds, to a file; returns its length. */
  public long save(int sequence, int[] tokens, Path file) throws IOException {
    long bytes = llama.stateSize.toLong(context, sequence);
    return SequenceFile.write(file, origin, tokens, bytes, memory -> get(sequence, memory));
  }

  /** Reads a file into an empty sequence, which is empty again if that fails. */
  public int[] restore(int sequence, Path file) throws IOException {
    return SequenceFile.read(file, origin, cells, state -> set(sequence, state));
  }

  private long get(int sequence, MemorySegment memory) {
    return llama.stateGet.toLong(context, memory.address(), memory.byteSize(), sequence);
  }

  private boolean set(int sequence, MemorySegment state) {
    long taken = llama.stateSet.toLong(context, state.address(), state.byteSize(), sequence);
    if (taken == 0) {
      llama.removeSequence(llama.memory(context), sequence, -1, -1);
    }
    return taken != 0;
  }
}
