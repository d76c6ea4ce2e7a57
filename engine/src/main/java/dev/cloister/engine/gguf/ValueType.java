package dev.cloister.engine.gguf;

import java.util.Arrays;
import java.util.Optional;

/** The type of a metadata value. */
public enum ValueType {
  UINT8(0, 1),
  INT8(1, 1),
  UINT16(2, 2),
  INT16(3, 2),
  UINT32(4, 4),
  INT32(5, 4),
  FLOAT32(6, 4),
  BOOL(7, 1),
  /** UTF-8 after its length in bytes, a 64-bit number. */
  TEXT(8, 0),
  /** Elements of one type, after that type's number (32 bits) and their count (64 bits). */
  ARRAY(9, 0),
  UINT64(10, 8),
  INT64(11, 8),
  FLOAT64(12, 8);

  /** Numbers go from 0 without a gap. */
  private static final ValueType[] BY_NUMBER = new ValueType[13];

  static {
    Arrays.stream(values()).forEach(type -> BY_NUMBER[type.number] = type);
  }

  private final int number;
  private final int bytes;

  ValueType(int number, int bytes) {
    this.number = number;
    this.bytes = bytes;
  }

  /** Bytes of a value of this type; 0 where that differs from value to value. */
  public int bytes() {
    return bytes;
  }

  int number() {
    return number;
  }

  boolean isInteger() {
    return switch (this) {
      case UINT8, INT8, UINT16, INT16, UINT32, INT32, UINT64, INT64 -> true;
      case FLOAT32, FLOAT64, BOOL, TEXT, ARRAY -> false;
    };
  }

  static Optional<ValueType> of(int number) {
    return number >= 0 && number < BY_NUMBER.length
        ? Optional.of(BY_NUMBER[number])
        : Optional.empty();
  }
}
