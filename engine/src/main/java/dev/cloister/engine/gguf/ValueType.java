package dev.cloister.engine.gguf;

import java.util.Optional;

/** The type of a metadata value; a type's number in the file is its ordinal. */
public enum ValueType {
  UINT8(1),
  INT8(1),
  UINT16(2),
  INT16(2),
  UINT32(4),
  INT32(4),
  FLOAT32(4),
  BOOL(1),
  /** UTF-8 after its length in bytes, a 64-bit number. */
  TEXT(0),
  /** Elements of one type, after that type's number (32 bits) and their count (64 bits). */
  ARRAY(0),
  UINT64(8),
  INT64(8),
  FLOAT64(8);

  private static final ValueType[] BY_NUMBER = values();

  private final int bytes;

  ValueType(int bytes) {
    this.bytes = bytes;
  }

  /** Bytes of a value of this type; 0 where that differs from value to value. */
  public int bytes() {
    return bytes;
  }

  int number() {
    return ordinal();
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
