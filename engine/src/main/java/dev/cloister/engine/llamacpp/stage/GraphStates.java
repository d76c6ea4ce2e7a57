package dev.cloister.engine.llamacpp.stage;

import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.cloister.engine.llamacpp.capi.GgmlTensors;
import dev.cloister.engine.llamacpp.capi.NativeMemory;
import dev.cloister.engine.model.DecodeException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The hidden states of a batch, one row a token: what goes into a stage's first layer, and what
 * comes out of its last one. llama.cpp takes the former with its batch, and tells the latter
 * through its evaluation callback ({@code cb_eval}), which it calls for every tensor of the graph:
 * first to ask whether the tensor is wanted, then, if so, when it is computed. Belongs to the
 * thread of its context.
 */
public final class GraphStates {

  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
  private static final MemorySegment ALL_MEMORY = NativeMemory.at(0, Long.MAX_VALUE);

  /** llama.cpp calls so what it has scaled, where an architecture scales its embeddings. */
  private static final TensorName SCALED = new TensorName("inp_scaled");

  private final GgmlTensors ggml;
  private final int width;
  private final long rowBytes;
  private final MemorySegment input;
  private final MemorySegment output;
  private final FloatBuffer inputFloats;
  private final FloatBuffer outputFloats;
  private final TensorName last;
  private final boolean wantsOutput;
  private final boolean scales;
  private final MemorySegment callback;

  /** Where a name lies in a tensor; it is the same in all of them. */
  private long nameOffset = -1;

  private long inputBytes;
  private long givenBytes;
  private int @Nullable [] order;
  private String failure = "";

  /**
   * @param wantsOutput whether the states behind the last layer are wanted
   * @param scales whether the architecture scales embeddings; the states that go in are scaled
   *     already, and take the place of what llama.cpp has scaled
   * @param layers of the stage
   * @param width numbers in a state
   * @param rows that a batch has at most
   */
  public GraphStates(
      GgmlTensors ggml,
      boolean wantsOutput,
      boolean scales,
      int layers,
      int width,
      int rows,
      Arena arena) {
    this.ggml = ggml;
    this.width = width;
    this.rowBytes = (long) width * Float.BYTES;
    this.wantsOutput = wantsOutput;
    this.scales = scales;
    this.last = new TensorName("l_out-" + (layers - 1));
    this.input = arena.allocate(JAVA_FLOAT, (long) rows * width);
    this.output = arena.allocate(JAVA_FLOAT, wantsOutput ? (long) rows * width : 0);
    this.inputFloats = floats(input);
    this.outputFloats = floats(output).asReadOnlyBuffer();
    this.callback = wantsOutput || scales ? callback(arena) : MemorySegment.NULL;
  }

  private static FloatBuffer floats(MemorySegment memory) {
    return memory.asByteBuffer().order(ByteOrder.nativeOrder()).asFloatBuffer();
  }

  private MemorySegment callback(Arena arena) {
    try {
      return NativeMemory.callback(
          MethodHandles.lookup()
              .bind(
                  this,
                  "evaluated",
                  MethodType.methodType(boolean.class, long.class, boolean.class, long.class)),
          FunctionDescriptor.of(JAVA_BOOLEAN, JAVA_LONG, JAVA_BOOLEAN, JAVA_LONG),
          arena);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  /** To be the context's {@code cb_eval}. */
  public MemorySegment callback() {
    return callback;
  }

  /** To be the batch's {@code embd}. */
  public MemorySegment input() {
    return input;
  }

  /** Room for the state that goes in at a place of the batch. */
  public MemorySegment input(int place) {
    return input.asSlice(place * rowBytes, rowBytes);
  }

  /** Takes a state over from a buffer, which advances. */
  public void put(int place, FloatBuffer states) {
    inputFloats.put(place * width, states, states.position(), width);
    states.position(states.position() + width);
  }

  /**
   * Must come before a batch of so many tokens is computed.
   *
   * @param computed the places of the batch in the order in which they are computed, perhaps in
   *     pieces; null for all at once as they are
   */
  public void begin(int tokens, int @Nullable [] computed) {
    inputBytes = tokens * rowBytes;
    order = computed;
    givenBytes = 0;
    failure = "";
  }

  /**
   * Must come after a batch was computed.
   *
   * @throws DecodeException if its states did not come out
   */
  public void end() {
    if (failure.isEmpty() && wantsOutput && givenBytes != inputBytes) {
      failure = "the last layer gave %d bytes of %d".formatted(givenBytes, inputBytes);
    }
    if (!failure.isEmpty()) {
      throw new DecodeException("hidden states were lost: " + failure);
    }
  }

  /** What came out of the last batch. */
  public FloatBuffer output() {
    return outputFloats.slice(0, Math.toIntExact(givenBytes / Float.BYTES));
  }

  // An exception that left this method would end the process.
  @SuppressWarnings("unused")
  private boolean evaluated(long tensor, boolean ask, long userData) {
    try {
      if (nameOffset < 0) {
        nameOffset = ggml.name.toLong(tensor) - tensor;
      }
      long name = tensor + nameOffset;
      boolean isLast = wantsOutput && last.isAt(name);
      if (ask) {
        return isLast || (scales && SCALED.isAt(name));
      }
      return isLast ? give(tensor) : replace(tensor);
    } catch (RuntimeException e) {
      failure = e.toString();
      return false;
    }
  }

  /** Whatever follows in the graph belongs to an output that this stage does not have. */
  private boolean give(long tensor) {
    long bytes = ggml.bytes.toLong(tensor);
    long expected = inputBytes - givenBytes;
    if (order == null ? bytes != expected : bytes > expected) {
      failure = "the last layer has %d bytes (expected: %d)".formatted(bytes, expected);
      return false;
    }
    if (order == null) {
      ggml.get.run(tensor, output.address(), 0L, bytes);
    } else {
      int done = (int) (givenBytes / rowBytes);
      for (int row = 0; row < bytes / rowBytes; row++) {
        long place = order[done + row];
        ggml.get.run(tensor, output.address() + place * rowBytes, row * rowBytes, rowBytes);
      }
    }
    givenBytes += bytes;
    return false;
  }

  private boolean replace(long tensor) {
    long bytes = ggml.bytes.toLong(tensor);
    if (bytes != inputBytes) {
      failure = "the first layer takes %d bytes (expected: %d)".formatted(bytes, inputBytes);
      return false;
    }
    ggml.set.run(tensor, input.address(), 0L, bytes);
    return true;
  }

  /** Compared in memory: the first eight letters rule nearly all other tensors out. */
  private static final class TensorName {
    private final MemorySegment text;
    private final long begin;

    TensorName(String name) {
      this.text = Arena.ofAuto().allocateFrom(name);
      this.begin = MemorySegment.ofArray(paddedBegin(text)).get(LONG, 0);
    }

    private static byte[] paddedBegin(MemorySegment text) {
      byte[] padded = new byte[Long.BYTES];
      MemorySegment.copy(
          text, 0, MemorySegment.ofArray(padded), 0, Math.min(text.byteSize(), Long.BYTES));
      return padded;
    }

    boolean isAt(long address) {
      return ALL_MEMORY.get(LONG, address) == begin
          && ALL_MEMORY.asSlice(address, text.byteSize()).mismatch(text) < 0;
    }
  }
}
