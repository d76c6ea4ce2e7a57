package dev.cloister.engine.library;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * Unpacks the shared libraries and the license of a packed npm package: a gzipped tar archive of
 * plain files, POSIX ustar (IEEE Std 1003.1-2017, pax, "ustar Interchange Format").
 *
 * <p>Digests are checked before this reads a byte, so its strictness is the second line: names are
 * taken from a list of patterns, never from the archive's structure, and a link, a path that leads
 * outside, a file twice or more bytes than pinned refuse the whole archive.
 */
final class PackageArchive {
  private static final int BLOCK = 512;
  private static final String LICENSE = "package/LICENSE";

  /** Not {@code llama-common}: only programs of llama.cpp's own use it. */
  private static final Pattern SHARED_LIBRARY =
      Pattern.compile("(fallback/)?(lib)?(llama(?!-common)|ggml)[A-Za-z0-9_.-]*\\.(so|dylib|dll)");

  private final NpmPackage unpacked;
  private final Path folder;
  private long bytes;

  private PackageArchive(NpmPackage unpacked, Path folder) {
    this.unpacked = unpacked;
    this.folder = folder;
  }

  /**
   * @param folder where the files go; what was unpacked before a failure stays there
   * @throws ZipException if the archive is not fit to be unpacked, its message to be put after "the
   *     archive"
   * @throws IOException if a file cannot be read or written
   */
  static void unpack(Path packed, NpmPackage unpacked, Path folder) throws IOException {
    try (InputStream file = Files.newInputStream(packed);
        InputStream in = new BufferedInputStream(new GZIPInputStream(file, 1 << 16), 1 << 16)) {
      new PackageArchive(unpacked, folder).unpack(in);
    } catch (EOFException e) {
      throw new ZipException("ends in the middle");
    }
  }

  private void unpack(InputStream in) throws IOException {
    byte[] header = in.readNBytes(BLOCK);
    while (header.length == BLOCK && header[0] != 0) {
      entry(header, in);
      header = in.readNBytes(BLOCK);
    }
    if (header.length < BLOCK) {
      throw new ZipException("ends in the middle");
    }
  }

  private void entry(byte[] header, InputStream in) throws IOException {
    checkSum(header);
    String prefix = text(header, 345, 155);
    String name = (prefix.isEmpty() ? "" : prefix + "/") + text(header, 0, 100);
    if (name.startsWith("/")
        || name.contains("\\")
        || Arrays.asList(name.split("/")).contains("..")) {
      throw new ZipException("holds the path " + name + ", which leads outside of it");
    }
    char type = (char) header[156];
    long size = octal(header, 124, 12);
    if (type == '5' && size == 0) {
      return;
    }
    if (type != '0' && type != 0) {
      throw new ZipException("holds " + name + ", which is no plain file (type " + type + ")");
    }
    bytes += size;
    if (bytes > unpacked.unpackedBytes()) {
      throw new ZipException("holds more than the pinned " + unpacked.unpackedBytes() + " bytes");
    }
    String target = target(name);
    try (OutputStream out = target.isEmpty() ? OutputStream.nullOutputStream() : create(target)) {
      copy(in, size, out);
    }
    copy(in, (BLOCK - size % BLOCK) % BLOCK, OutputStream.nullOutputStream());
  }

  /** Where an entry goes, below the folder; empty if it is not needed. */
  private String target(String name) {
    if (name.equals(LICENSE)) {
      return "LICENSE." + unpacked.shortName();
    }
    String binaries = "package/bins/" + unpacked.binaries() + "/";
    if (!name.startsWith(binaries)) {
      return "";
    }
    Matcher library = SHARED_LIBRARY.matcher(name.substring(binaries.length()));
    return library.matches() ? library.group() : "";
  }

  private OutputStream create(String target) throws IOException {
    Path file = folder.resolve(target);
    if (Files.exists(file)) {
      throw new ZipException("holds " + target + " twice");
    }
    Files.createDirectories(folder.resolve(target).getParent());
    return Files.newOutputStream(file, StandardOpenOption.CREATE_NEW);
  }

  private static void copy(InputStream in, long size, OutputStream out) throws IOException {
    byte[] buffer = new byte[1 << 16];
    for (long left = size; left > 0; ) {
      int n = in.read(buffer, 0, (int) Math.min(left, buffer.length));
      if (n < 0) {
        throw new ZipException("ends in the middle");
      }
      out.write(buffer, 0, n);
      left -= n;
    }
  }

  /** The sum of all bytes, those of the sum itself taken as spaces. */
  private static void checkSum(byte[] header) throws IOException {
    long sum = 0;
    for (int i = 0; i < BLOCK; i++) {
      sum += i >= 148 && i < 156 ? ' ' : header[i] & 0xff;
    }
    if (sum != octal(header, 148, 8)) {
      throw new ZipException("has a header with a wrong checksum");
    }
  }

  private static long octal(byte[] header, int offset, int length) throws IOException {
    String digits = text(header, offset, length).strip();
    try {
      long value = Long.parseLong(digits, 8);
      if (value >= 0) {
        return value;
      }
    } catch (NumberFormatException e) {
      // Falls through: the sentence is the same.
    }
    throw new ZipException("has a header with the number " + digits);
  }

  private static String text(byte[] header, int offset, int length) {
    int end = offset;
    while (end < offset + length && header[end] != 0) {
      end++;
    }
    return new String(header, offset, end - offset, StandardCharsets.UTF_8);
  }
}
