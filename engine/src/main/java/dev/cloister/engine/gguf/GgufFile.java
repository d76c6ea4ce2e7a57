package dev.cloister.engine.gguf;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A GGUF file of version 2 or 3, little-endian, whose structure was found sound: its counts, sizes,
 * types and offsets agree with each other and with the file's length. Whether it holds a model that
 * llama.cpp can load is {@link GgufModel}'s question.
 *
 * <p>The header is mapped, not read: the heap holds the keys and the list of tensors, under 64 MiB
 * whatever the file says. Immutable, and safe for use by several threads, as long as nobody writes
 * to the file.
 */
public final class GgufFile {

  static final int MAGIC = 0x46554747; // "GGUF", little-endian.
  static final int DEFAULT_ALIGNMENT = 32;

  /** A vocabulary of 256,000 tokens takes some 10 MiB. */
  private static final long MAX_HEADER_BYTES = 256L << 20;

  private final Path path;
  private final Map<String, GgufValue> metadata;
  private final Map<String, TensorInfo> tensors;
  private final long dataOffset;

  GgufFile(
      Path path,
      Map<String, GgufValue> metadata,
      Map<String, TensorInfo> tensors,
      long dataOffset) {
    this.path = path;
    this.metadata = Collections.unmodifiableMap(metadata);
    this.tensors = Collections.unmodifiableMap(tensors);
    this.dataOffset = dataOffset;
  }

  /**
   * Reads and checks a file's header.
   *
   * @throws GgufException when the file is missing, unreadable, or no sound GGUF file
   */
  public static GgufFile open(Path file) throws GgufException {
    if (!Files.exists(file)) {
      throw new GgufException("there is no such file (expected: a GGUF file)");
    }
    if (!Files.isRegularFile(file)) {
      throw new GgufException("it is not a file (expected: a GGUF file)");
    }
    try (FileChannel channel = FileChannel.open(file)) {
      long bytes = channel.size();
      if (bytes == 0) {
        throw new GgufException("it is not a GGUF file: it is empty; fetch it again");
      }
      ByteBuffer header = channel.map(MapMode.READ_ONLY, 0, Math.min(bytes, MAX_HEADER_BYTES));
      return parse(file, header, bytes);
    } catch (IOException e) {
      throw new GgufException("it cannot be read: " + e.getMessage(), e);
    }
  }

  /**
   * Reads a header in memory, of a file of the given length, from which it may be the beginning.
   */
  static GgufFile parse(Path file, ByteBuffer header, long fileBytes) throws GgufException {
    return new GgufParser(header.slice().order(ByteOrder.LITTLE_ENDIAN), fileBytes).parse(file);
  }

  public Path path() {
    return path;
  }

  /** All metadata, in the file's order. */
  public Map<String, GgufValue> metadata() {
    return metadata;
  }

  /** All tensors by name, in the file's order. */
  public Map<String, TensorInfo> tensors() {
    return tensors;
  }

  /** The tensor of a name. */
  public Optional<TensorInfo> tensor(String name) {
    return Optional.ofNullable(tensors.get(name));
  }

  /** Where the data section begins, to which tensors' offsets are relative; bytes. */
  public long dataOffset() {
    return dataOffset;
  }

  /**
   * The text under a key.
   *
   * @throws GgufException when the value is no text, or longer than 1 MiB
   */
  public Optional<String> text(String key) throws GgufException {
    GgufValue value = metadata.get(key);
    if (value == null) {
      return Optional.empty();
    }
    check(key, value, value.type() == ValueType.TEXT, "a text");
    if (value.bytes().remaining() > 1 << 20) {
      throw new GgufException(
          "metadata key %s: a text of %d bytes (expected: at most 1 MiB)"
              .formatted(key, value.bytes().remaining() - Long.BYTES));
    }
    return Optional.of(value.asText());
  }

  /**
   * The integer of any width under a key.
   *
   * @throws GgufException when the value is no integer
   */
  public OptionalLong integer(String key) throws GgufException {
    GgufValue value = metadata.get(key);
    if (value == null) {
      return OptionalLong.empty();
    }
    check(key, value, value.type().isInteger(), "an integer");
    return OptionalLong.of(value.asInteger());
  }

  /**
   * The truth value under a key.
   *
   * @throws GgufException when the value is none
   */
  public Optional<Boolean> bool(String key) throws GgufException {
    GgufValue value = metadata.get(key);
    if (value == null) {
      return Optional.empty();
    }
    check(key, value, value.type() == ValueType.BOOL, "a truth value");
    return Optional.of(value.asBool());
  }

  static void check(String key, GgufValue value, boolean holds, String expected)
      throws GgufException {
    if (!holds) {
      throw new GgufException(
          "metadata key %s: it is %s (expected: %s)".formatted(key, value, expected));
    }
  }
}
