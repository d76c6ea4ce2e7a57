package dev.cloister.coordinator.courtesy;

import java.time.LocalTime;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * When machines work for the cluster, as far as the administrator says it for all of them; owners
 * make it stricter for theirs. Judged on the machines.
 *
 * @param notOnBattery whether they pause on battery
 * @param foreignCpu how much of all cores others may use before they pause, 0 to 1; empty: any
 * @param foreignGpu the same of GPUs
 * @param whileUserPresent what they do while somebody is at them
 * @param hours they work only within these, by their own clocks
 */
public record CourtesyPolicy(
    boolean notOnBattery,
    OptionalDouble foreignCpu,
    OptionalDouble foreignGpu,
    WhileUserPresent whileUserPresent,
    Optional<Hours> hours) {

  /** Machines work always, unless their owners say otherwise. */
  public static final CourtesyPolicy NONE =
      new CourtesyPolicy(
          false,
          OptionalDouble.empty(),
          OptionalDouble.empty(),
          WhileUserPresent.WORK,
          Optional.empty());

  /** Not on battery; all else is left to owners. */
  public static final CourtesyPolicy DEFAULT =
      new CourtesyPolicy(
          true,
          OptionalDouble.empty(),
          OptionalDouble.empty(),
          WhileUserPresent.WORK,
          Optional.empty());

  /** What a machine does while somebody is at it. */
  public enum WhileUserPresent {
    WORK,
    /** With low priority and few threads. */
    GENTLY,
    PAUSE
  }

  /** Of each day, over midnight where {@code to} is earlier. */
  public record Hours(LocalTime from, LocalTime to) {}
}
