package dev.cloister.engine.gguf;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes a GGUF file of version 3: metadata and tensors in the order they were given, tensor data
 * streamed from its source. Used once, by one thread.
 */
public final class GgufWriter {

  private final GgufHeader header = new GgufHeader();
  private final List<Tensor> tensors = new ArrayList<>();

  /** Where a tensor's bytes come from. */
  @FunctionalInterface
  public interface TensorData {

    /** Writes exactly the tensor's bytes. */
    void writeTo(WritableByteChannel out) throws IOException;
  }

  /** Writes what a file is to hold. */
  @FunctionalInterface
  interface Content {
    void writeTo(FileChannel out) throws IOException;
  }

  private record Tensor(TensorInfo info, TensorData data) {}

  /** Sets a metadata value; one set before under the same key is replaced in its place. */
  public GgufWriter put(String key, GgufValue value) {
    header.put(key, value);
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
    tensors.add(new Tensor(header.tensor(name, type, dimensions), data));
    return this;
  }

  /**
   * Writes the file, replacing one of that name. It appears under its name only when it is
   * complete; on failure nothing is left.
   */
  public void write(Path file) throws IOException {
    write(file, this::writeTo);
  }

  /** Has a file written beside its place, and puts it there. */
  public static void write(Path file, Content content) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    Path unfinished = Files.createTempFile(folder, "writing-", ".tmp");
    try {
      try (FileChannel out = FileChannel.open(unfinished, StandardOpenOption.WRITE)) {
        content.writeTo(out);
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
    for (Tensor tensor : tensors) {
      long start = out.position();
      tensor.data.writeTo(out);
      if (out.position() - start != tensor.info.bytes()) {
        throw new IOException(
            "tensor %s: its source gave %d bytes (expected: %d)"
                .formatted(tensor.info.name(), out.position() - start, tensor.info.bytes()));
      }
      writeFully(out, ByteBuffer.allocate(GgufHeader.padding(out.position())));
    }
  }

  /** Everything before the data section. */
  byte[] header() {
    return header.bytes();
  }

  public static void writeFully(WritableByteChannel out, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
  }
}
