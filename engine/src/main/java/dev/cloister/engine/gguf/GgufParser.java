package dev.cloister.engine.gguf;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads a header from front to back and refuses it at the first thing that is wrong. Nothing is
 * allocated for what the file merely announces: every count is held against the bytes that are
 * left.
 */
final class GgufParser {

  /** Models have some 50 keys, and up to a few thousand tensors. */
  private static final int MAX_KEYS = 4096;

  private static final int MAX_TENSORS = 32_768;
  private static final int MAX_KEY_BYTES = 1024;

  /** Some files carry a whole tokenizer.json as one text. */
  private static final long MAX_TEXT_BYTES = 64L << 20;

  private static final String TRUNCATED = "the file is truncated, fetch it again";
  private static final String ALIGNMENT_KEY = "general.alignment";

  /** The fewest bytes of a metadata entry: length of the key, one character, type, value. */
  private static final int MIN_KEY_BYTES = Long.BYTES + 1 + Integer.BYTES + 1;

  /**
   * The fewest bytes of a tensor's entry: name, number of dimensions, one of them, type, offset.
   */
  private static final int MIN_TENSOR_BYTES = Long.BYTES + 1 + 4 + 8 + 4 + 8;

  private final ByteBuffer in;
  private final long fileBytes;
  private final Map<String, GgufValue> metadata = new LinkedHashMap<>();
  private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();

  /** What is being read, for messages: a kind, its number, and its name once that is known. */
  private String kind = "header";

  private long number = -1;
  private String name = "";

  GgufParser(ByteBuffer in, long fileBytes) {
    this.in = in;
    this.fileBytes = fileBytes;
  }

  GgufFile parse(Path file) throws GgufException {
    if (in.remaining() < Integer.BYTES || in.getInt() != GgufFile.MAGIC) {
      throw new GgufException("it is not a GGUF file: it does not begin with the letters GGUF");
    }
    int version = need(Integer.BYTES).getInt();
    if (version != 2 && version != 3) {
      throw refused(
          "version %s (expected: 2 or 3, little-endian)"
              .formatted(Integer.toUnsignedString(version)));
    }
    need(2L * Long.BYTES);
    long tensorCount = in.getLong();
    long keyCount = in.getLong();
    checkCount("tensors", tensorCount, MAX_TENSORS, MIN_TENSOR_BYTES);
    checkCount("metadata keys", keyCount, MAX_KEYS, MIN_KEY_BYTES);
    kind = "metadata key";
    for (number = 0; number < keyCount; number++) {
      readKey();
    }
    long alignment = alignment();
    kind = "tensor";
    for (number = 0; number < tensorCount; number++) {
      readTensor(alignment);
    }
    long dataOffset = Math.ceilDiv(in.position(), alignment) * alignment;
    checkExtents(dataOffset);
    return new GgufFile(file, metadata, tensors, dataOffset);
  }

  private void readKey() throws GgufException {
    name = "";
    String key = name(MAX_KEY_BYTES);
    name = key;
    ValueType type = valueType(need(Integer.BYTES).getInt());
    int start = in.position();
    switch (type) {
      case TEXT -> skipText();
      case ARRAY -> skipArray();
      case UINT8, INT8, UINT16, INT16, UINT32, INT32, FLOAT32, BOOL, UINT64, INT64, FLOAT64 ->
          skip(type.bytes());
    }
    ByteBuffer bytes = in.slice(start, in.position() - start).order(in.order());
    if (metadata.put(key, new GgufValue(type, bytes)) != null) {
      throw refused("it is there twice");
    }
  }

  private void skipText() throws GgufException {
    long length = need(Long.BYTES).getLong();
    if (length < 0 || length > MAX_TEXT_BYTES) {
      throw refused(
          "a text of %s bytes (expected: at most %d)"
              .formatted(Long.toUnsignedString(length), MAX_TEXT_BYTES));
    }
    skip(length);
  }

  private void skipArray() throws GgufException {
    ValueType element = valueType(need(Integer.BYTES).getInt());
    if (element == ValueType.ARRAY) {
      throw refused("an array of arrays (expected: an array of numbers or texts)");
    }
    long count = need(Long.BYTES).getLong();
    int least = element == ValueType.TEXT ? Long.BYTES : element.bytes();
    if (count < 0 || count > in.remaining() / least) {
      throw refused(
          "an array of %s elements in the %d bytes that are left; %s"
              .formatted(Long.toUnsignedString(count), in.remaining(), TRUNCATED));
    }
    if (element == ValueType.TEXT) {
      for (long i = 0; i < count; i++) {
        skipText();
      }
    } else {
      skip(count * least);
    }
  }

  private void readTensor(long alignment) throws GgufException {
    name = "";
    name = name(TensorInfo.MAX_NAME);
    int dimensionCount = need(Integer.BYTES).getInt();
    if (dimensionCount < 1 || dimensionCount > TensorInfo.MAX_DIMENSIONS) {
      throw refused(
          "%s dimensions (expected: 1 to %d)"
              .formatted(Integer.toUnsignedString(dimensionCount), TensorInfo.MAX_DIMENSIONS));
    }
    need((long) dimensionCount * Long.BYTES);
    List<Long> dimensions = new ArrayList<>(dimensionCount);
    for (int i = 0; i < dimensionCount; i++) {
      dimensions.add(in.getLong());
    }
    int typeNumber = need(Integer.BYTES).getInt();
    TensorType type =
        TensorType.of(typeNumber)
            .orElseThrow(() -> refused("unknown tensor type %d".formatted(typeNumber)));
    long offset = need(Long.BYTES).getLong();
    if (offset < 0 || offset % alignment != 0) {
      throw refused(
          "offset %s (expected: a multiple of the alignment %d)"
              .formatted(Long.toUnsignedString(offset), alignment));
    }
    TensorInfo tensor = new TensorInfo(name, type, dimensions, offset, bytes(type, dimensions));
    if (tensors.put(name, tensor) != null) {
      throw refused("it is there twice");
    }
  }

  private long bytes(TensorType type, List<Long> dimensions) throws GgufException {
    long elements = 1;
    for (long dimension : dimensions) {
      if (dimension < 1) {
        throw refused(
            "dimensions %s (expected: each from 1 to %d)".formatted(dimensions, Long.MAX_VALUE));
      }
      // Java's integers wrap without a word.
      if (Math.multiplyHigh(elements, dimension) != 0 || elements * dimension < 0) {
        throw refused("dimensions %s overflow 64 bits".formatted(dimensions));
      }
      elements *= dimension;
    }
    if (dimensions.getFirst() % type.blockElements() != 0) {
      throw refused(
          "first dimension %d (expected: a multiple of the %d elements of a %s block)"
              .formatted(dimensions.getFirst(), type.blockElements(), type));
    }
    if (elements > Long.MAX_VALUE / type.blockBytes()) {
      throw refused("dimensions %s overflow 64 bits".formatted(dimensions));
    }
    return type.bytes(elements);
  }

  private void checkExtents(long dataOffset) throws GgufException {
    List<TensorInfo> byOffset = new ArrayList<>(tensors.values());
    byOffset.sort(Comparator.comparingLong(TensorInfo::offset));
    long end = 0;
    String before = "";
    for (TensorInfo tensor : byOffset) {
      if (tensor.bytes() > fileBytes - dataOffset - tensor.offset()) {
        throw new GgufException(
            "tensor %s: offset %d + %d bytes is past the end of the file (%d bytes); %s"
                .formatted(
                    tensor.name(),
                    dataOffset + tensor.offset(),
                    tensor.bytes(),
                    fileBytes,
                    TRUNCATED));
      }
      if (tensor.offset() < end) {
        throw new GgufException(
            "tensor %s: offset %d is inside tensor %s, which ends at %d"
                .formatted(tensor.name(), tensor.offset(), before, end));
      }
      end = tensor.offset() + tensor.bytes();
      before = tensor.name();
    }
  }

  /** llama.cpp ends the process where the alignment has another type. */
  private long alignment() throws GgufException {
    GgufValue value = metadata.get(ALIGNMENT_KEY);
    if (value == null) {
      return GgufFile.DEFAULT_ALIGNMENT;
    }
    GgufFile.check(ALIGNMENT_KEY, value, value.type() == ValueType.UINT32, "UINT32");
    long alignment = value.asInteger();
    if (Long.bitCount(alignment) != 1) {
      throw new GgufException(
          "metadata key %s: %d (expected: a power of two)".formatted(ALIGNMENT_KEY, alignment));
    }
    return alignment;
  }

  private void checkCount(String what, long announced, int most, int leastBytes)
      throws GgufException {
    if (announced < 0 || announced > most) {
      throw refused(
          "%s %s (expected: at most %d)".formatted(Long.toUnsignedString(announced), what, most));
    }
    if (announced * leastBytes > in.remaining()) {
      throw refused("%d %s in %d bytes; %s".formatted(announced, what, in.remaining(), TRUNCATED));
    }
  }

  private ValueType valueType(int announced) throws GgufException {
    return ValueType.of(announced)
        .orElseThrow(
            () -> refused("unknown value type %s".formatted(Integer.toUnsignedString(announced))));
  }

  /** A key or a tensor's name: printable ASCII, so that messages can quote it. */
  private String name(int most) throws GgufException {
    long length = need(Long.BYTES).getLong();
    if (length < 1 || length > most) {
      throw refused(
          "a name of %s bytes (expected: 1 to %d)".formatted(Long.toUnsignedString(length), most));
    }
    byte[] bytes = new byte[(int) length];
    need(bytes.length).get(bytes);
    for (byte character : bytes) {
      if (character <= ' ' || character > '~') {
        throw refused(
            "its name holds the byte %d (expected: printable ASCII)".formatted(character & 0xFF));
      }
    }
    return new String(bytes, StandardCharsets.US_ASCII);
  }

  private void skip(long bytes) throws GgufException {
    need(bytes);
    in.position(in.position() + (int) bytes);
  }

  private ByteBuffer need(long bytes) throws GgufException {
    if (bytes > in.remaining()) {
      throw in.limit() < fileBytes
          ? refused(
              "the header goes on behind %d bytes, which no model needs".formatted(in.limit()))
          : refused(
              "it goes on behind the end of the file (%d bytes); %s"
                  .formatted(fileBytes, TRUNCATED));
    }
    return in;
  }

  private GgufException refused(String reason) {
    String part =
        number < 0
            ? kind
            : name.isEmpty() ? "%s number %d".formatted(kind, number + 1) : kind + " " + name;
    return new GgufException(part + ": " + reason);
  }
}
