package dev.cloister.coordinator.courtesy;

import java.util.OptionalLong;

/**
 * What models may take of a machine, all together, as far as somebody says it.
 *
 * @param memoryBytes of its main memory
 * @param diskBytes of its disk
 */
public record Ceilings(OptionalLong memoryBytes, OptionalLong diskBytes) {
  /** Nothing is said. */
  public static final Ceilings NONE = new Ceilings(OptionalLong.empty(), OptionalLong.empty());

  /**
   * @throws IllegalArgumentException if one is below 0; the message is one sentence
   */
  public Ceilings {
    requireNotBelowZero("memory", memoryBytes);
    requireNotBelowZero("disk", diskBytes);
  }

  private static void requireNotBelowZero(String what, OptionalLong bytes) {
    if (bytes.isPresent() && bytes.getAsLong() < 0) {
      throw new IllegalArgumentException(
          "%s limit: %d bytes (expected: >= 0)".formatted(what, bytes.getAsLong()));
    }
  }

  Ceilings orElse(Ceilings other) {
    return new Ceilings(
        memoryBytes.isPresent() ? memoryBytes : other.memoryBytes,
        diskBytes.isPresent() ? diskBytes : other.diskBytes);
  }
}
