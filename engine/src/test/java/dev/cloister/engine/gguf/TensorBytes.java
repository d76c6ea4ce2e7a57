package dev.cloister.engine.gguf;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;

/** What a file holds of a tensor. */
public final class TensorBytes {
  private TensorBytes() {}

  /** All of it, little-endian. */
  public static ByteBuffer of(GgufFile file, TensorInfo tensor) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate((int) tensor.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    try (FileChannel channel = FileChannel.open(file.path())) {
      channel.position(file.dataOffset() + tensor.offset());
      while (bytes.hasRemaining() && channel.read(bytes) >= 0) {
        // A read may be short.
      }
    }
    return bytes.flip();
  }
}
