package dev.cloister.engine.gguf;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** The bytes of a header, field by field, right or wrong. */
final class HeaderBytes {

  private final ByteBuffer bytes = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);

  static HeaderBytes of(long tensors, long keys) {
    return new HeaderBytes().u32(GgufFile.MAGIC).u32(3).u64(tensors).u64(keys);
  }

  HeaderBytes u32(long value) {
    bytes.putInt((int) value);
    return this;
  }

  HeaderBytes u64(long value) {
    bytes.putLong(value);
    return this;
  }

  HeaderBytes text(String value) {
    byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
    bytes.putLong(utf8.length).put(utf8);
    return this;
  }

  HeaderBytes key(String key, ValueType type) {
    return text(key).u32(type.number());
  }

  HeaderBytes alignment(long alignment) {
    return key("general.alignment", ValueType.UINT32).u32(alignment);
  }

  /** A tensor of F32 numbers. */
  HeaderBytes tensor(String name, long offset, long... dimensions) {
    return typedTensor(name, TensorType.F32.number(), offset, dimensions);
  }

  HeaderBytes typedTensor(String name, int type, long offset, long... dimensions) {
    text(name).u32(dimensions.length);
    for (long dimension : dimensions) {
      u64(dimension);
    }
    return u32(type).u64(offset);
  }

  /** Parses the header with so many bytes of tensor data behind it, aligned to 32. */
  GgufFile parse(long dataBytes) throws GgufException {
    ByteBuffer header = bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN).flip();
    return GgufFile.parse(
        Path.of("memory"), header, (header.remaining() + 31) / 32 * 32L + dataBytes);
  }

  /** Parses the header as a file that ends with it. */
  GgufFile parseTruncated() throws GgufException {
    ByteBuffer header = bytes.duplicate().flip();
    return GgufFile.parse(Path.of("memory"), header, header.remaining());
  }
}
