package dev.cloister.engine.gguf;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Parses mutations of sound headers, for a process with little heap: flipped bits, values that
 * lengths and counts must not have, bytes cut out, put in, and moved between headers.
 */
final class MutatedHeaders {

  private static final Path NOWHERE = Path.of("mutated");
  private static final long[] EXTREMES = {
    0,
    1,
    -1,
    2,
    7,
    31,
    63,
    64,
    127,
    255,
    1 << 16,
    1L << 24,
    1L << 31,
    (1L << 32) - 1,
    1L << 32,
    1L << 40,
    1L << 60,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    -32
  };

  private final List<byte[]> seeds;
  private final SplittableRandom random;

  private MutatedHeaders(List<byte[]> seeds, long seed) {
    this.seeds = seeds;
    this.random = new SplittableRandom(seed);
  }

  /** Arguments: how many headers, the seed, files whose headers are mutated. */
  public static void main(String[] arguments) throws Exception {
    int count = Integer.parseInt(arguments[0]);
    long seed = Long.parseLong(arguments[1]);
    List<byte[]> seeds = new ArrayList<>();
    for (int i = 2; i < arguments.length; i++) {
      Path file = Path.of(arguments[i]);
      byte[] header = new byte[(int) GgufFile.open(file).dataOffset()];
      try (var in = Files.newInputStream(file)) {
        in.readNBytes(header, 0, header.length);
      }
      seeds.add(header);
    }
    MutatedHeaders headers = new MutatedHeaders(seeds, seed);
    int sound = 0;
    for (int i = 0; i < count; i++) {
      sound += headers.next() ? 1 : 0;
    }
    System.out.println("sound: " + sound + ", refused: " + (count - sound));
  }

  /** Whether the next mutation still is a sound model. */
  private boolean next() {
    byte[] header = mutated();
    long fileBytes = (long) header.length + (random.nextInt(8) == 0 ? 0 : 1 << 20);
    try {
      GgufModel.of(GgufFile.parse(NOWHERE, ByteBuffer.wrap(header), fileBytes));
      return true;
    } catch (GgufException e) {
      String message = e.getMessage();
      if (message == null || message.isEmpty() || message.length() > 2000) {
        throw new AssertionError("no message for a user: " + message, e);
      }
      return false;
    }
  }

  private byte[] mutated() {
    byte[] header = seeds.get(random.nextInt(seeds.size())).clone();
    int mutations = 1 + random.nextInt(4);
    for (int i = 0; i < mutations && header.length > 0; i++) {
      header = mutated(header);
    }
    return header;
  }

  private byte[] mutated(byte[] header) {
    int at = random.nextInt(header.length);
    switch (random.nextInt(6)) {
      case 0 -> header[at] ^= (byte) (1 << random.nextInt(8));
      case 1 -> header[at] = (byte) random.nextInt();
      case 2 -> {
        ByteBuffer bytes = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
        long extreme = EXTREMES[random.nextInt(EXTREMES.length)];
        // The counts of the header itself are hit as often as all that follows.
        int position = random.nextBoolean() ? 8 * random.nextInt(3) : at;
        if (position <= header.length - 8 && random.nextBoolean()) {
          bytes.putLong(position, extreme);
        } else if (position <= header.length - 4) {
          bytes.putInt(position, (int) extreme);
        }
      }
      case 3 -> {
        return joined(header, at, header, Math.min(header.length, at + random.nextInt(64)));
      }
      case 4 -> {
        return joined(header, at, header, Math.max(0, at - random.nextInt(64)));
      }
      default -> {
        byte[] other = seeds.get(random.nextInt(seeds.size()));
        return joined(header, at, other, random.nextInt(other.length));
      }
    }
    return header;
  }

  private static byte[] joined(byte[] head, int headEnd, byte[] tail, int tailStart) {
    byte[] joined = new byte[headEnd + tail.length - tailStart];
    System.arraycopy(head, 0, joined, 0, headEnd);
    System.arraycopy(tail, tailStart, joined, headEnd, tail.length - tailStart);
    return joined;
  }
}
