package dev.cloister.coordinator.catalog;

import java.util.Arrays;
import java.util.List;

/** What a stage's file consists of, one after the other. */
public record StageFile(List<Part> parts) {

  public StageFile {
    parts = List.copyOf(parts);
  }

  /** How long the file is. */
  public long sizeBytes() {
    return parts.stream().mapToLong(Part::length).reduce(0, Math::addExact);
  }

  /** A part of the file. */
  public sealed interface Part {
    /** In bytes; above 0. */
    long length();
  }

  /** Bytes that are in no other file. */
  @SuppressWarnings("ArrayRecordComponent") // Made once and read once; nobody compares it.
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

  /** A range of the model's file. */
  public record Piece(long offset, long length) implements Part {}

  /** So many zeros. */
  public record Zeros(long length) implements Part {}
}
