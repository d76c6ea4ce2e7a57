package dev.cloister.engine.gguf.random;

import dev.cloister.engine.gguf.GgufWriter;
import dev.cloister.engine.gguf.TensorType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.util.SplittableRandom;

/**
 * A tensor of independent, uniformly distributed numbers, quantized as ggml does it ({@code
 * quantize_row_q4_0_ref} and {@code quantize_row_q8_0_ref} in {@code ggml-quants.c}). The same seed
 * gives the same numbers in every type, but for rounding.
 *
 * @param elements how many; whole blocks of the type
 * @param seed of the random numbers
 * @param mean their mean
 * @param deviation their standard deviation
 * @param quiet how many of the first are smaller, by {@value #QUIET}; a multiple of 32
 */
public record RandomWeights(
    TensorType type, long elements, long seed, float mean, float deviation, long quiet)
    implements GgufWriter.TensorData {

  private static final float QUIET = 0.0625f;

  private static final int BLOCK = 32;
  private static final int BUFFER_BYTES = 1 << 18;

  /** The random numbers are 16 bits wide, and a uniform one from -1 to 1 deviates by 1 / √3. */
  private static final float UNIT = (float) Math.sqrt(3) / (1 << 15);

  @Override
  public void writeTo(WritableByteChannel out) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    float[] block = new float[BLOCK];
    int blockBytes = Math.toIntExact(type.bytes(BLOCK));
    for (long left = elements; left > 0; left -= BLOCK) {
      fill(block, random, elements - left < quiet ? deviation * QUIET : deviation);
      if (buffer.remaining() < blockBytes) {
        GgufWriter.writeFully(out, buffer.flip());
        buffer.clear();
      }
      put(buffer, block, (int) Math.min(BLOCK, left));
    }
    GgufWriter.writeFully(out, buffer.flip());
  }

  private void fill(float[] block, SplittableRandom random, float spread) {
    float scale = spread * UNIT;
    for (int i = 0; i < BLOCK; i += 4) {
      long bits = random.nextLong();
      block[i] = mean + scale * (short) bits;
      block[i + 1] = mean + scale * (short) (bits >> 16);
      block[i + 2] = mean + scale * (short) (bits >> 32);
      block[i + 3] = mean + scale * (short) (bits >> 48);
    }
  }

  private void put(ByteBuffer out, float[] block, int count) {
    switch (type) {
      case F32 -> {
        for (int i = 0; i < count; i++) {
          out.putFloat(block[i]);
        }
      }
      case F16 -> {
        for (int i = 0; i < count; i++) {
          out.putShort(Float.floatToFloat16(block[i]));
        }
      }
      case Q8_0 -> putQ8(out, block);
      case Q4_0 -> putQ4(out, block);
      default -> throw new IllegalStateException("no random weights of type " + type);
    }
  }

  private static void putQ8(ByteBuffer out, float[] block) {
    float step = Math.abs(largest(block)) / 127;
    float inverse = step == 0 ? 0 : 1 / step;
    out.putShort(Float.floatToFloat16(step));
    for (float value : block) {
      // Halves away from zero, as roundf does.
      float scaled = value * inverse;
      out.put((byte) (int) (scaled + Math.copySign(0.5f, scaled)));
    }
  }

  /** A byte holds element i in its low half and element i + 16 in its high one. */
  private static void putQ4(ByteBuffer out, float[] block) {
    float step = largest(block) / -8;
    float inverse = step == 0 ? 0 : 1 / step;
    out.putShort(Float.floatToFloat16(step));
    for (int i = 0; i < BLOCK / 2; i++) {
      int low = Math.min(15, (int) (block[i] * inverse + 8.5f));
      int high = Math.min(15, (int) (block[i + BLOCK / 2] * inverse + 8.5f));
      out.put((byte) (low | (high << 4)));
    }
  }

  /** The value furthest from zero, with its sign. */
  private static float largest(float[] block) {
    float largest = 0;
    for (float value : block) {
      if (Math.abs(value) > Math.abs(largest)) {
        largest = value;
      }
    }
    return largest;
  }
}
