package dev.cloister.engine.stage;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * One batch, and what has to be done to sequences before it.
 *
 * @param operations in order
 * @param hidden the states of the tokens of all runs, in order, little-endian; of the one who sent
 *     it, and valid until it is taken
 * @param failure not empty: a stage before could not compute the runs, in one sentence; there are
 *     no states then
 */
public record Step(
    List<StageOperation> operations,
    List<Run> runs,
    ByteBuffer hidden,
    Precision precision,
    String failure)
    implements StageFrame.Content {

  /** Longer hidden states are not sent: messages have a limit. */
  public static final int MOST_HIDDEN_BYTES = 32 << 20;

  /** How a number of a hidden state travels. */
  public enum Precision {
    F32(Float.BYTES),
    F16(Short.BYTES);

    private final int bytes;

    Precision(int bytes) {
      this.bytes = bytes;
    }

    int bytes() {
      return bytes;
    }
  }

  public Step {
    operations = List.copyOf(operations);
    runs = List.copyOf(runs);
  }
}
