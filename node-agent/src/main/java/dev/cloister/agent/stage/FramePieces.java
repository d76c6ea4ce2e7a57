package dev.cloister.agent.stage;

import dev.cloister.agent.engine.FrameBytes;
import io.grpc.KnownLength;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Frames in pieces, as they go through the coordinator: it then passes on the beginning of a long
 * one while the agent still sends its end, and never holds all of it. Pieces of {@link #FULL_BYTES}
 * are followed by another one of the same frame; a shorter one, which may be empty, is the last.
 * Puts pieces together in order; not thread-safe.
 */
final class FramePieces {
  static final int FULL_BYTES = 1 << 20;

  private Frame frame = new Frame();

  /** Takes a frame apart. Each piece is to be read to its end, one after the other. */
  static void cut(InputStream frame, Consumer<InputStream> pieces) {
    int left = available(frame);
    while (left >= FULL_BYTES) {
      pieces.accept(new Piece(frame, FULL_BYTES, false));
      left -= FULL_BYTES;
    }
    pieces.accept(new Piece(frame, left, true));
  }

  /**
   * Takes the next piece.
   *
   * @return the frame, if this was its last piece
   * @throws IllegalArgumentException if the frame is longer than any may be
   */
  @Nullable InputStream add(InputStream piece) {
    int bytes = available(piece);
    frame.append(piece, bytes);
    if (frame.bytes > FrameBytes.MAX_BYTES) {
      frame.close();
      throw new IllegalArgumentException(
          "a frame is longer than " + FrameBytes.MAX_BYTES + " bytes");
    }
    if (bytes == FULL_BYTES) {
      return null;
    }
    Frame whole = frame;
    frame = new Frame();
    return whole;
  }

  private static int available(InputStream bytes) {
    try {
      return bytes.available();
    } catch (IOException e) {
      throw new UncheckedIOException("a buffer in memory cannot be read", e);
    }
  }

  /** The next bytes of a frame. */
  private static final class Piece extends InputStream implements KnownLength {
    private final InputStream frame;
    private final boolean last;
    private int left;

    Piece(InputStream frame, int bytes, boolean last) {
      this.frame = frame;
      this.left = bytes;
      this.last = last;
    }

    @Override
    public int available() {
      return left;
    }

    @Override
    public int read() throws IOException {
      if (left == 0) {
        return -1;
      }
      left--;
      return frame.read();
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      if (left == 0) {
        return length == 0 ? 0 : -1;
      }
      int read = frame.read(target, offset, Math.min(left, length));
      left -= Math.max(0, read);
      return read;
    }

    @Override
    public void close() throws IOException {
      if (last) {
        frame.close();
      }
    }
  }

  /** Pieces as if they were one. */
  private static final class Frame extends InputStream implements KnownLength {
    private final Deque<InputStream> pieces = new ArrayDeque<>();
    private int bytes;

    void append(InputStream piece, int length) {
      pieces.add(piece);
      bytes += length;
    }

    @Override
    public int available() {
      return bytes;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      while (!pieces.isEmpty()) {
        int read = pieces.getFirst().read(target, offset, length);
        if (read >= 0) {
          bytes -= read;
          return read;
        }
        pieces.removeFirst().close();
      }
      return -1;
    }

    @Override
    public void close() {
      for (InputStream piece : pieces) {
        try {
          piece.close();
        } catch (IOException e) {
          throw new UncheckedIOException("a buffer in memory cannot be closed", e);
        }
      }
      pieces.clear();
      bytes = 0;
    }
  }
}
