package dev.cloister.client.admin;

import java.time.LocalTime;
import java.util.Optional;

/**
 * What somebody says of when a machine works for the cluster, and with how much; on what is empty,
 * nothing.
 *
 * @param notOnBattery whether it pauses on battery
 * @param foreignCpu how much of all cores other programs may use before it pauses, 0 to 1; at 1 it
 *     never does
 * @param foreignGpu the same of its GPUs
 * @param whileUserPresent what it does while somebody is at it
 * @param hours it works only within these, by its own clock
 * @param ceilings what models may take of it
 */
public record Courtesy(
    Optional<Boolean> notOnBattery,
    Optional<Double> foreignCpu,
    Optional<Double> foreignGpu,
    Optional<WhileUserPresent> whileUserPresent,
    Optional<Hours> hours,
    Ceilings ceilings) {

  /** Nothing at all. */
  public static final Courtesy NONE =
      new Courtesy(
          Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());

  /** One that says nothing of ceilings. */
  public Courtesy(
      Optional<Boolean> notOnBattery,
      Optional<Double> foreignCpu,
      Optional<Double> foreignGpu,
      Optional<WhileUserPresent> whileUserPresent,
      Optional<Hours> hours) {
    this(notOnBattery, foreignCpu, foreignGpu, whileUserPresent, hours, Ceilings.NONE);
  }

  /** The same with other ceilings. */
  public Courtesy with(Ceilings other) {
    return new Courtesy(notOnBattery, foreignCpu, foreignGpu, whileUserPresent, hours, other);
  }

  /**
   * What models may take of a machine, all together.
   *
   * @param memoryBytes of its main memory; {@link #UNLIMITED} lifts what is said of all machines
   * @param diskBytes of its disk; likewise
   */
  public record Ceilings(Optional<Long> memoryBytes, Optional<Long> diskBytes) {
    /** More than any machine has. */
    public static final long UNLIMITED = Long.MAX_VALUE;

    /** Nothing is said. */
    public static final Ceilings NONE = new Ceilings(Optional.empty(), Optional.empty());
  }

  /** What a machine does while somebody is at it; the later, the stricter. */
  public enum WhileUserPresent {
    WORK,
    /** Engines that start from now on have low priority and half of the threads, always. */
    GENTLY,
    PAUSE
  }

  /** Of each day, over midnight where {@code to} is earlier, all day where both are the same. */
  public record Hours(LocalTime from, LocalTime to) {
    /** {@code 18:00-08:00}, or {@code always}. */
    @Override
    public String toString() {
      return from.equals(to) ? "always" : from + "-" + to;
    }
  }
}
