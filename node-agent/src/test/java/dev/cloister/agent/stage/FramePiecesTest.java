package dev.cloister.agent.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cloister.agent.engine.FrameBytes;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;

class FramePiecesTest {
  private static final int FULL = FramePieces.FULL_BYTES;

  @Test
  void framesOfAnyLengthComeTogetherAgainOneAfterTheOther() throws IOException {
    FramePieces pieces = new FramePieces();
    for (int length : List.of(0, 1, FULL - 1, FULL, FULL + 1, 3 * FULL, 5 * FULL - 7)) {
      byte[] frame = new byte[length];
      new Random(length).nextBytes(frame);
      List<byte[]> cut = cut(frame);
      assertThat(cut).hasSize(length / FULL + 1);
      for (byte[] piece : cut.subList(0, cut.size() - 1)) {
        assertThat(pieces.add(new ByteArrayInputStream(piece))).isNull();
      }
      InputStream whole =
          Objects.requireNonNull(pieces.add(new ByteArrayInputStream(cut.getLast())));
      assertThat(whole.available()).isEqualTo(length);
      assertThat(whole.readAllBytes()).isEqualTo(frame);
    }
  }

  private static List<byte[]> cut(byte[] frame) {
    List<byte[]> pieces = new ArrayList<>();
    FramePieces.cut(
        new ByteArrayInputStream(frame),
        piece -> {
          try (piece) {
            int length = piece.available();
            pieces.add(piece.readAllBytes());
            assertThat(pieces.getLast()).hasSize(length);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
    return pieces;
  }

  @Test
  void aFrameThatNeverEndsIsRefused() {
    FramePieces pieces = new FramePieces();
    byte[] full = new byte[FULL];
    for (int i = 0; i < FrameBytes.MAX_BYTES / FULL; i++) {
      assertThat(pieces.add(new ByteArrayInputStream(full))).isNull();
    }
    assertThatThrownBy(() -> pieces.add(new ByteArrayInputStream(full)))
        .hasMessageContaining("a frame is longer than");
  }
}
