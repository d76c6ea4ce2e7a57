package dev.cloister.engine.gguf;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Everything before a GGUF file's data section: metadata, and tensors laid out one behind the other
 * in the order they were given. Used once, by one thread.
 */
final class GgufHeader {

  private final Map<String, GgufValue> metadata = new LinkedHashMap<>();
  private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();
  private long dataBytes;

  /** Sets a metadata value; one set before under the same key is replaced in its place. */
  void put(String key, GgufValue value) {
    metadata.put(key, value);
  }

  /**
   * Adds a tensor behind those added before.
   *
   * @return where it comes to lie
   * @throws IllegalArgumentException as {@link GgufWriter#tensor} says
   */
  TensorInfo tensor(String name, TensorType type, List<Long> dimensions) {
    if (dimensions.isEmpty()
        || dimensions.size() > TensorInfo.MAX_DIMENSIONS
        || dimensions.stream().anyMatch(dimension -> dimension < 1)
        || dimensions.getFirst() % type.blockElements() != 0) {
      throw new IllegalArgumentException(
          "tensor %s: %s (expected: 1 to %d dimensions, the first a multiple of %d for %s)"
              .formatted(name, dimensions, TensorInfo.MAX_DIMENSIONS, type.blockElements(), type));
    }
    if (name.length() > TensorInfo.MAX_NAME || tensors.containsKey(name)) {
      throw new IllegalArgumentException(
          "tensor name: %s (expected: a new one of at most %d characters)"
              .formatted(name, TensorInfo.MAX_NAME));
    }
    long bytes = type.bytes(dimensions.stream().reduce(1L, Math::multiplyExact));
    TensorInfo tensor = new TensorInfo(name, type, dimensions, dataBytes, bytes);
    tensors.put(name, tensor);
    dataBytes += bytes + padding(dataBytes + bytes);
    return tensor;
  }

  /** The header, padded so that the data section may follow. */
  byte[] bytes() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      putInt(out, GgufFile.MAGIC);
      putInt(out, 3);
      putLong(out, tensors.size());
      putLong(out, metadata.size());
      for (Map.Entry<String, GgufValue> entry : metadata.entrySet()) {
        putBytes(out, GgufValue.ofText(entry.getKey()).bytes());
        putInt(out, entry.getValue().type().number());
        putBytes(out, entry.getValue().bytes());
      }
      for (TensorInfo tensor : tensors.values()) {
        putBytes(out, GgufValue.ofText(tensor.name()).bytes());
        putInt(out, tensor.dimensions().size());
        for (long dimension : tensor.dimensions()) {
          putLong(out, dimension);
        }
        putInt(out, tensor.type().number());
        putLong(out, tensor.offset());
      }
      out.write(new byte[padding(out.size())]);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  /** Bytes between a position and the next at which something may begin. */
  static int padding(long position) {
    return (int) (-position & (GgufFile.DEFAULT_ALIGNMENT - 1));
  }

  private static void putInt(DataOutputStream out, int value) throws IOException {
    out.writeInt(Integer.reverseBytes(value));
  }

  private static void putLong(DataOutputStream out, long value) throws IOException {
    out.writeLong(Long.reverseBytes(value));
  }

  private static void putBytes(DataOutputStream out, ByteBuffer value) throws IOException {
    byte[] bytes = new byte[value.remaining()];
    value.get(bytes);
    out.write(bytes);
  }
}
