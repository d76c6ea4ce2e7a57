package dev.cloister.engine.gguf;

import java.util.List;

/**
 * Where a tensor lies in a file.
 *
 * @param dimensions elements along each dimension, the contiguous one first: a matrix that maps n
 *     inputs to m outputs is (n, m)
 * @param offset bytes from the beginning of the file's data section
 * @param bytes its size, without the padding behind it
 */
public record TensorInfo(
    String name, TensorType type, List<Long> dimensions, long offset, long bytes) {

  static final int MAX_DIMENSIONS = 4;

  /** ggml keeps names in arrays of 64 characters with a zero at the end. */
  static final int MAX_NAME = 63;

  public TensorInfo {
    dimensions = List.copyOf(dimensions);
  }

  /** The number of elements. */
  public long elements() {
    return dimensions.stream().reduce(1L, Math::multiplyExact);
  }
}
