package dev.cloister.engine.gguf;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.ObjIntConsumer;

/**
 * A metadata value, kept as the bytes it has in a file and decoded when asked: a vocabulary of
 * 256,000 texts costs no memory until somebody wants them. Immutable.
 *
 * <p>Accessors throw {@link IllegalStateException} where the value is of another type: ask {@link
 * #type} first, or use the checked ones of {@link GgufFile}.
 */
public final class GgufValue {

  private static final int ARRAY_HEADER = Integer.BYTES + Long.BYTES;

  private final ValueType type;
  private final ByteBuffer bytes;

  /** Takes little-endian bytes that were checked, or written, to hold exactly one such value. */
  GgufValue(ValueType type, ByteBuffer bytes) {
    this.type = type;
    this.bytes = bytes;
  }

  /** An unsigned 32-bit number, the type of nearly every size in a model's metadata. */
  public static GgufValue ofUint32(long value) {
    if (value < 0 || value >= 1L << Integer.SIZE) {
      throw new IllegalArgumentException("value: %d (expected: 0 to 2^32 - 1)".formatted(value));
    }
    return new GgufValue(ValueType.UINT32, allocate(Integer.BYTES).putInt((int) value).flip());
  }

  public static GgufValue ofFloat32(float value) {
    return new GgufValue(ValueType.FLOAT32, allocate(Float.BYTES).putFloat(value).flip());
  }

  public static GgufValue ofBool(boolean value) {
    return new GgufValue(ValueType.BOOL, allocate(1).put((byte) (value ? 1 : 0)).flip());
  }

  public static GgufValue ofText(String value) {
    byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes = allocate(Long.BYTES + utf8.length).putLong(utf8.length).put(utf8);
    return new GgufValue(ValueType.TEXT, bytes.flip());
  }

  public static GgufValue ofTexts(List<String> values) {
    List<byte[]> utf8 =
        values.stream().map(value -> value.getBytes(StandardCharsets.UTF_8)).toList();
    int size = utf8.stream().mapToInt(text -> Long.BYTES + text.length).sum();
    ByteBuffer bytes = array(ValueType.TEXT, values.size(), size);
    utf8.forEach(text -> bytes.putLong(text.length).put(text));
    return new GgufValue(ValueType.ARRAY, bytes.flip());
  }

  /** An array of signed 32-bit numbers. */
  public static GgufValue ofInts(int... values) {
    ByteBuffer bytes = array(ValueType.INT32, values.length, values.length * Integer.BYTES);
    bytes.asIntBuffer().put(values);
    return new GgufValue(ValueType.ARRAY, bytes.rewind());
  }

  public static GgufValue ofFloats(float... values) {
    ByteBuffer bytes = array(ValueType.FLOAT32, values.length, values.length * Float.BYTES);
    bytes.asFloatBuffer().put(values);
    return new GgufValue(ValueType.ARRAY, bytes.rewind());
  }

  private static ByteBuffer array(ValueType element, int count, int size) {
    return allocate(ARRAY_HEADER + size).putInt(element.number()).putLong(count);
  }

  private static ByteBuffer allocate(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  public ValueType type() {
    return type;
  }

  /** Whether this is an array whose elements have the type. */
  public boolean isArrayOf(ValueType element) {
    return type == ValueType.ARRAY && elementType() == element;
  }

  /** The type of an array's elements. */
  public ValueType elementType() {
    require(type == ValueType.ARRAY, "an array");
    return ValueType.of(bytes.getInt(0)).orElseThrow();
  }

  /** The number of an array's elements. */
  public int count() {
    require(type == ValueType.ARRAY, "an array");
    return (int) bytes.getLong(Integer.BYTES);
  }

  /** An integer of any width; 64-bit unsigned ones above {@link Long#MAX_VALUE} are negative. */
  public long asInteger() {
    require(type.isInteger(), "an integer");
    return integer(type, 0);
  }

  public boolean asBool() {
    require(type == ValueType.BOOL, "a truth value");
    return bytes.get(0) != 0;
  }

  /** The text; bytes that are not UTF-8 become replacement characters. */
  public String asText() {
    require(type == ValueType.TEXT, "a text");
    return text(0);
  }

  /** An element of an array of integers of any width, or of truth values (0 or 1). */
  public long integerAt(int index) {
    ValueType element = elementType();
    require(element.isInteger() || element == ValueType.BOOL, "an array of integers");
    if (index < 0 || index >= count()) {
      throw new IndexOutOfBoundsException(index);
    }
    return integer(element, ARRAY_HEADER + index * element.bytes());
  }

  /** Calls back for each text of an array of texts, in order, with its index. */
  public void forEachText(ObjIntConsumer<String> consumer) {
    require(isArrayOf(ValueType.TEXT), "an array of texts");
    int position = ARRAY_HEADER;
    for (int i = 0; i < count(); i++) {
      consumer.accept(text(position), i);
      position += Long.BYTES + (int) bytes.getLong(position);
    }
  }

  /** Elements of an array, from the first index to before the last, as an array of its own. */
  GgufValue slice(int from, int to) {
    ValueType element = elementType();
    if (from < 0 || from > to || to > count()) {
      throw new IndexOutOfBoundsException("%d to %d of %d".formatted(from, to, count()));
    }
    require(element != ValueType.TEXT, "an array of numbers");
    ByteBuffer part =
        bytes.slice(ARRAY_HEADER + from * element.bytes(), (to - from) * element.bytes());
    ByteBuffer sliced = array(element, to - from, part.remaining()).put(part);
    return new GgufValue(ValueType.ARRAY, sliced.flip());
  }

  /** The bytes as they stand in a file, without the type's number before them. */
  public ByteBuffer bytes() {
    return bytes.duplicate();
  }

  private long integer(ValueType stored, int position) {
    return switch (stored) {
      case UINT8, BOOL -> Byte.toUnsignedLong(bytes.get(position));
      case INT8 -> bytes.get(position);
      case UINT16 -> Short.toUnsignedLong(bytes.getShort(position));
      case INT16 -> bytes.getShort(position);
      case UINT32 -> Integer.toUnsignedLong(bytes.getInt(position));
      case INT32 -> bytes.getInt(position);
      case UINT64, INT64 -> bytes.getLong(position);
      case FLOAT32, FLOAT64, TEXT, ARRAY -> throw new IllegalStateException(stored.toString());
    };
  }

  private String text(int position) {
    byte[] utf8 = new byte[(int) bytes.getLong(position)];
    bytes.get(position + Long.BYTES, utf8);
    return new String(utf8, StandardCharsets.UTF_8);
  }

  private void require(boolean holds, String expected) {
    if (!holds) {
      throw new IllegalStateException("metadata value is %s, not %s".formatted(this, expected));
    }
  }

  /** The type, not the content: that may be long, or a prompt. */
  @Override
  public String toString() {
    return type == ValueType.ARRAY ? "%d x %s".formatted(count(), elementType()) : type.toString();
  }
}
