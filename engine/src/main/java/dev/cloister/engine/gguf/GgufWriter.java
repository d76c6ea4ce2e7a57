package dev.cloister.engine.gguf;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes a GGUF file of version 3: metadata and tensors in the order they were given, tensor data
 * streamed from its source. Used once, by one thread.
 */
public final class GgufWriter {

  private final Map<String, GgufValue> metadata = new LinkedHashMap<>();
  private final Map<String, Tensor> tensors = new LinkedHashMap<>();
  private long dataBytes;

  /** Where a tensor's bytes come from. */
  @FunctionalInterface
  public interface TensorData {

    /** Writes exactly the tensor's bytes. */
    void writeTo(WritableByteChannel out) throws IOException;
  }

  private record Tensor(TensorInfo info, TensorData data) {}

  /** Sets a metadata value; one set before under the same key is replaced in its place. */
  public GgufWriter put(String key, GgufValue value) {
    metadata.put(key, value);
    return this;
  }

  /**
   * Adds a tensor behind those added before.
   *
   * @param dimensions elements along each dimension, the contiguous one first
   * @throws IllegalArgumentException when there is one of the name, or the type's blocks do not fit
   *     the first dimension
   */
  public GgufWriter tensor(String name, TensorType type, List<Long> dimensions, TensorData data) {
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
    tensors.put(name, new Tensor(new TensorInfo(name, type, dimensions, dataBytes, bytes), data));
    dataBytes = dataBytes + bytes + padding(dataBytes + bytes);
    return this;
  }

  /**
   * Writes the file, replacing one of that name. It appears under its name only when it is
   * complete; on failure nothing is left.
   */
  public void write(Path file) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    Path unfinished = Files.createTempFile(folder, "writing-", ".tmp");
    try {
      try (FileChannel out = FileChannel.open(unfinished, StandardOpenOption.WRITE)) {
        writeTo(out);
      }
      try {
        Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
      } catch (AtomicMoveNotSupportedException e) {
        Files.move(unfinished, file, StandardCopyOption.REPLACE_EXISTING);
      }
    } finally {
      Files.deleteIfExists(unfinished);
    }
  }

  private void writeTo(FileChannel out) throws IOException {
    writeFully(out, ByteBuffer.wrap(header()));
    for (Tensor tensor : tensors.values()) {
      long start = out.position();
      tensor.data.writeTo(out);
      if (out.position() - start != tensor.info.bytes()) {
        throw new IOException(
            "tensor %s: its source gave %d bytes (expected: %d)"
                .formatted(tensor.info.name(), out.position() - start, tensor.info.bytes()));
      }
      writeFully(out, ByteBuffer.allocate(padding(out.position())));
    }
  }

  /** Everything before the data section. */
  byte[] header() {
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
      for (Tensor tensor : tensors.values()) {
        putBytes(out, GgufValue.ofText(tensor.info.name()).bytes());
        putInt(out, tensor.info.dimensions().size());
        for (long dimension : tensor.info.dimensions()) {
          putLong(out, dimension);
        }
        putInt(out, tensor.info.type().number());
        putLong(out, tensor.info.offset());
      }
      out.write(new byte[padding(out.size())]);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
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

  static void writeFully(WritableByteChannel out, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
  }

  private static int padding(long position) {
    return (int) (-position & (GgufFile.DEFAULT_ALIGNMENT - 1));
  }
}
