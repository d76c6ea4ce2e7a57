package dev.cloister.agent.courtesy;

import java.util.OptionalLong;

/**
 * What models may take of this machine, all together.
 *
 * @param memoryBytes of its main memory; empty: what there is
 * @param diskBytes of its disk; empty: what there is
 */
public record Ceilings(OptionalLong memoryBytes, OptionalLong diskBytes) {
  /** What there is. */
  public static final Ceilings NONE = new Ceilings(OptionalLong.empty(), OptionalLong.empty());

  /** What keeps to both. */
  Ceilings and(Ceilings other) {
    return new Ceilings(least(memoryBytes, other.memoryBytes), least(diskBytes, other.diskBytes));
  }

  private static OptionalLong least(OptionalLong a, OptionalLong b) {
    return a.isPresent() && b.isPresent()
        ? OptionalLong.of(Math.min(a.getAsLong(), b.getAsLong()))
        : a.isPresent() ? a : b;
  }
}
