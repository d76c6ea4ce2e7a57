package dev.cloister.engine.llamacpp.capi;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.cloister.engine.generation.ModelLoadException;
import dev.cloister.engine.gguf.TensorType;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;

/**
 * Tensors of a graph that is being computed, and numbers of a tensor's type, as {@code ggml.h} and
 * {@code ggml-backend.h} declare them. Thread-safe.
 */
public final class GgmlTensors extends Symbols {

  private static final ValueLayout POINTER = JAVA_LONG;

  // ggml_type_traits: pointer type_name; i64 blck_size, blck_size_interleave; size_t type_size;
  // bool is_quantized; pointer to_float, from_float_ref.
  private static final long BLOCK_ELEMENTS = 8;
  private static final long BLOCK_BYTES = 24;
  private static final long TO_FLOAT = 40;
  private static final long TRAITS_BYTES = 56;

  /** The name of a tensor, which lies in the tensor itself. */
  public final NativeFunction name = function("ggml_get_name", POINTER, POINTER);

  public final NativeFunction bytes = function("ggml_nbytes", JAVA_LONG, POINTER);

  /** From a tensor, wherever it is, to memory: tensor, memory, offset in the tensor, bytes. */
  public final NativeFunction get =
      procedure("ggml_backend_tensor_get", POINTER, POINTER, JAVA_LONG, JAVA_LONG);

  /** From memory to a tensor: tensor, memory, offset in the tensor, bytes. */
  public final NativeFunction set =
      procedure("ggml_backend_tensor_set", POINTER, POINTER, JAVA_LONG, JAVA_LONG);

  private final NativeFunction typeTraits = function("ggml_get_type_traits", POINTER, JAVA_INT);

  /**
   * Looks all functions up.
   *
   * @throws ModelLoadException for a library that lacks one
   */
  public GgmlTensors(SymbolLookup symbols) throws ModelLoadException {
    super(symbols);
    if (!missing().isEmpty()) {
      throw new ModelLoadException(
          "this library does not export %s; install the version that is expected"
              .formatted(missing().getFirst()));
    }
  }

  /**
   * What makes floats of a type's blocks: from, to, how many.
   *
   * @throws ModelLoadException for a type that the library does not know so
   */
  public NativeFunction toFloat(TensorType type) throws ModelLoadException {
    long address = typeTraits.toLong(type.number());
    if (address == 0) {
      throw unknown(type);
    }
    MemorySegment traits = NativeMemory.at(address, TRAITS_BYTES);
    long function = traits.get(JAVA_LONG, TO_FLOAT);
    if (traits.get(JAVA_LONG, BLOCK_ELEMENTS) != type.blockElements()
        || traits.get(JAVA_LONG, BLOCK_BYTES) != type.blockBytes()
        || function == 0) {
      throw unknown(type);
    }
    return new NativeFunction(
        MemorySegment.ofAddress(function), FunctionDescriptor.ofVoid(POINTER, POINTER, JAVA_LONG));
  }

  private static ModelLoadException unknown(TensorType type) {
    return new ModelLoadException(
        "this library cannot read embeddings of the type %s; install a newer one".formatted(type));
  }
}
