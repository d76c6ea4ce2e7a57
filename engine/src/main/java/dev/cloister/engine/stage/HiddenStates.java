package dev.cloister.engine.stage;

import dev.cloister.engine.stage.Step.Precision;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/**
 * Hidden states between memory and wire, in buffers that are used over and over. Not thread-safe.
 */
final class HiddenStates {

  /** The greatest number of two bytes: what is beyond becomes it, not infinite. */
  private static final float MOST_F16 = 65504;

  private final Precision precision;
  private ByteBuffer bytes = ByteBuffer.allocate(0);
  private float[] numbers = new float[0];

  /**
   * @param precision of what is written
   */
  HiddenStates(Precision precision) {
    this.precision = precision;
  }

  Precision precision() {
    return precision;
  }

  /** What the next stage reads; valid until the next call. Leaves the states' position alone. */
  ByteBuffer write(FloatBuffer states) {
    int count = states.remaining();
    int length = count * precision.bytes();
    if (bytes.capacity() < length) {
      bytes = ByteBuffer.allocateDirect(length).order(ByteOrder.LITTLE_ENDIAN);
    }
    bytes.clear().limit(length);
    switch (precision) {
      case F32 -> bytes.asFloatBuffer().put(states.duplicate());
      case F16 -> {
        float[] room = room(count);
        states.duplicate().get(room, 0, count);
        for (int i = 0; i < count; i++) {
          bytes.putShort(
              i * Short.BYTES, Float.floatToFloat16(Math.clamp(room[i], -MOST_F16, MOST_F16)));
        }
      }
    }
    return bytes;
  }

  /**
   * What the stage before has written, valid until the next call.
   *
   * @throws StageException for a number that is not finite
   */
  FloatBuffer read(ByteBuffer from, Precision as) throws StageException {
    int count = from.remaining() / as.bytes();
    float[] room = room(count);
    ByteBuffer source = from.slice().order(ByteOrder.LITTLE_ENDIAN);
    switch (as) {
      case F32 -> source.asFloatBuffer().get(room, 0, count);
      case F16 -> {
        for (int i = 0; i < count; i++) {
          room[i] = Float.float16ToFloat(source.getShort(i * Short.BYTES));
        }
      }
    }
    for (int i = 0; i < count; i++) {
      if (!Float.isFinite(room[i])) {
        throw new StageException("a hidden state is %s (expected: finite)".formatted(room[i]));
      }
    }
    return FloatBuffer.wrap(room, 0, count);
  }

  private float[] room(int count) {
    if (numbers.length < count) {
      numbers = new float[count];
    }
    return numbers;
  }
}
