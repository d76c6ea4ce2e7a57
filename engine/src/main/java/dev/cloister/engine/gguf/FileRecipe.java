package dev.cloister.engine.gguf;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What a file made from a model's file consists of, one part after the other. Immutable; recipes
 * made from the same model for the same purpose are equal.
 */
public record FileRecipe(List<Part> parts) {

  /** Ranges are not longer, so that each can be fetched, checked and repeated by itself. */
  public static final long MAX_RANGE_BYTES = 64L << 20;

  public FileRecipe {
    parts = List.copyOf(parts);
  }

  /** A part of the file. */
  public sealed interface Part {
    /** In bytes. */
    long length();
  }

  /** Bytes that are in no other file. */
  @SuppressWarnings("ArrayRecordComponent") // Compared by what is in it, as below.
  public record Own(byte[] bytes) implements Part {
    @Override
    public long length() {
      return bytes.length;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Own own && Arrays.equals(bytes, own.bytes);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(bytes);
    }

    @Override
    public String toString() {
      return "Own[%d bytes]".formatted(bytes.length);
    }
  }

  /** A range of the model's file. */
  public record Range(long offset, long length) implements Part {}

  /** So many zeros. */
  public record Zeros(long length) implements Part {}

  /**
   * Writes the file, replacing one of that name. It appears under its name only when it is
   * complete; on failure nothing is left. Zeros take no space where the file system can leave them
   * out.
   *
   * @param model the model's file
   */
  public void write(Path model, Path to) throws IOException {
    try (FileChannel in = FileChannel.open(model)) {
      GgufWriter.write(to, out -> writeTo(in, out));
    }
  }

  private void writeTo(FileChannel in, FileChannel out) throws IOException {
    for (Part part : parts) {
      switch (part) {
        case Own own -> GgufWriter.writeFully(out, ByteBuffer.wrap(own.bytes));
        case Range range -> copy(in, range, out);
        case Zeros zeros -> {
          out.position(out.position() + zeros.length - 1);
          GgufWriter.writeFully(out, ByteBuffer.allocate(1));
        }
      }
    }
  }

  private static void copy(FileChannel in, Range range, FileChannel out) throws IOException {
    long position = range.offset;
    long end = range.offset + range.length;
    while (position < end) {
      long copied = in.transferTo(position, end - position, out);
      if (copied <= 0) {
        throw new EOFException("the model's file became shorter while it was read");
      }
      position += copied;
    }
  }

  /** Puts a GGUF file together from metadata and tensors. */
  static final class Builder {
    private static final String NONE = "none";

    private final GgufFile model;
    private final GgufHeader header = new GgufHeader();
    private final List<Part> body = new ArrayList<>();
    private String group = NONE;
    private long bytes;

    Builder(GgufFile model) {
      this.model = model;
    }

    Builder put(String key, GgufValue value) {
      header.put(key, value);
      return this;
    }

    /** Adds a tensor of the model, under a name that may be another. */
    void tensor(String name, TensorInfo tensor) {
      header.tensor(name, tensor.type(), tensor.dimensions());
      long offset = model.dataOffset() + tensor.offset();
      String itsGroup = group(tensor.name());
      if (itsGroup.equals(group)
          && body.getLast() instanceof Range(long begin, long length)
          && offset == begin + length + padding()) {
        // The model has the padding between them too.
        bytes -= length;
        body.removeLast();
        add(new Range(begin, offset + tensor.bytes() - begin));
      } else {
        pad();
        add(new Range(offset, tensor.bytes()));
      }
      group = itsGroup;
    }

    /** Adds a tensor of zeros. */
    void zeros(String name, TensorType type, List<Long> dimensions) {
      pad();
      add(new Zeros(header.tensor(name, type, dimensions).bytes()));
      group = NONE;
    }

    FileRecipe build() {
      pad();
      List<Part> parts = new ArrayList<>();
      parts.add(new Own(header.bytes()));
      for (Part part : body) {
        if (part instanceof Range(long offset, long length)) {
          for (long done = 0; done < length; done += MAX_RANGE_BYTES) {
            parts.add(new Range(offset + done, Math.min(length - done, MAX_RANGE_BYTES)));
          }
        } else {
          parts.add(part);
        }
      }
      return new FileRecipe(parts);
    }

    /** One layer's tensors make ranges of their own, so that they are the same in every recipe. */
    private static String group(String name) {
      return name.startsWith("blk.") ? name.substring(0, name.indexOf('.', 4)) : "";
    }

    private void add(Part part) {
      body.add(part);
      bytes += part.length();
    }

    private void pad() {
      if (padding() > 0) {
        add(new Zeros(padding()));
      }
    }

    private int padding() {
      return GgufHeader.padding(bytes);
    }
  }
}
