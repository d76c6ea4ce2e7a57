package dev.cloister.testkit;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.GZIPOutputStream;

/** Makes gzipped tar archives, the malicious ones too. Not thread-safe. */
public final class TarArchive {
  private static final int BLOCK = 512;

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  public TarArchive file(String name, byte[] content) {
    return entry(name, '0', "", content.length, content);
  }

  public TarArchive symbolicLink(String name, String target) {
    return entry(name, '2', target, 0, new byte[0]);
  }

  public TarArchive hardLink(String name, String target) {
    return entry(name, '1', target, 0, new byte[0]);
  }

  /** An entry that says it is larger than its content is. */
  public TarArchive liar(String name, long size, byte[] content) {
    return entry(name, '0', "", size, content);
  }

  /** Gzipped, with the two empty blocks at the end. */
  public byte[] packed() {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(packed)) {
      bytes.writeTo(out);
      out.write(new byte[2 * BLOCK]);
    } catch (IOException e) {
      throw new UncheckedIOException("writing to memory failed", e);
    }
    return packed.toByteArray();
  }

  private TarArchive entry(String name, char type, String target, long size, byte[] content) {
    byte[] header = new byte[BLOCK];
    put(header, 0, name);
    put(header, 100, "0000644\0");
    put(header, 124, "%011o\0".formatted(size));
    put(header, 148, "        ");
    header[156] = (byte) type;
    put(header, 157, target);
    put(header, 257, "ustar\00000");
    int sum = 0;
    for (byte b : header) {
      sum += b & 0xff;
    }
    put(header, 148, "%06o\0 ".formatted(sum));
    bytes.writeBytes(header);
    bytes.writeBytes(Arrays.copyOf(content, (content.length + BLOCK - 1) / BLOCK * BLOCK));
    return this;
  }

  private static void put(byte[] header, int offset, String text) {
    byte[] encoded = text.getBytes(StandardCharsets.UTF_8);
    System.arraycopy(encoded, 0, header, offset, encoded.length);
  }
}
