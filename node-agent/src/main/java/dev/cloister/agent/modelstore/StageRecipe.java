package dev.cloister.agent.modelstore;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/**
 * What a stage's file consists of, one part after the other. Immutable.
 *
 * @param parts at least one
 */
public record StageRecipe(List<Part> parts) {
  /** Longer than any model there is: what adds up to more is an error or malice. */
  private static final long MAX_BYTES = 1L << 44;

  /**
   * @throws IllegalArgumentException if a length is not above 0, or they add up to more than 16 TiB
   */
  public StageRecipe {
    parts = List.copyOf(parts);
    long left = MAX_BYTES;
    for (Part part : parts) {
      if (part.length() < 1 || part.length() > left) {
        throw new IllegalArgumentException(
            "part of %d bytes (expected: 1 or more, and 16 TiB in all at most)"
                .formatted(part.length()));
      }
      left -= part.length();
    }
    if (parts.isEmpty()) {
      throw new IllegalArgumentException("no parts (expected: one at least)");
    }
  }

  /** A part of the file. */
  public sealed interface Part {
    /** In bytes. */
    long length();
  }

  /** Bytes that are in no other file. */
  @SuppressWarnings("ArrayRecordComponent") // Compared by what is in it, as below.
  public record Own(byte[] bytes) implements Part {
    @Override
    public long length() {
      return bytes.length;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Own own && Arrays.equals(bytes, own.bytes);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(bytes);
    }

    @Override
    public String toString() {
      return "Own[" + bytes.length + " bytes]";
    }
  }

  /**
   * A range of the model's file.
   *
   * @param sha256 of the range
   */
  public record Piece(long offset, long length, String sha256) implements Part {
    public Piece {
      Sha256.require(sha256);
      if (offset < 0 || offset > MAX_BYTES) {
        throw new IllegalArgumentException("piece at %d (expected: 0 to 16 TiB)".formatted(offset));
      }
    }
  }

  /** So many zeros. */
  public record Zeros(long length) implements Part {}

  /** How long the file is. */
  public long sizeBytes() {
    return parts.stream().mapToLong(Part::length).sum();
  }

  /** Bytes that have to be written: all but the zeros. */
  long writtenBytes() {
    return parts.stream().filter(part -> !(part instanceof Zeros)).mapToLong(Part::length).sum();
  }

  /** Tells recipes apart: the SHA-256 of the parts' lengths and of what is in them. */
  String sha256() {
    MessageDigest digest = Sha256.begin();
    for (Part part : parts) {
      // Where a piece lies in the model does not matter.
      switch (part) {
        case Own own -> {
          digest.update(tag('o', own.length()));
          digest.update(own.bytes);
        }
        case Piece piece -> {
          digest.update(tag('p', piece.length()));
          digest.update(HexFormat.of().parseHex(piece.sha256));
        }
        case Zeros zeros -> digest.update(tag('z', zeros.length()));
      }
    }
    return Sha256.end(digest);
  }

  private static ByteBuffer tag(char kind, long length) {
    return ByteBuffer.allocate(1 + Long.BYTES).put((byte) kind).putLong(length).flip();
  }
}
