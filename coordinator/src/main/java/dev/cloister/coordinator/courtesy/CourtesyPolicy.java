package dev.cloister.coordinator.courtesy;

import java.time.LocalTime;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What somebody says of when a machine works for the cluster, and with how much; on what is empty,
 * nothing. Judged on the machines. Immutable.
 *
 * @param notOnBattery whether it pauses on battery
 * @param foreignCpu how much of all cores others may use before it pauses, 0 to 1; at 1 it never
 *     does
 * @param foreignGpu the same of GPUs
 * @param whileUserPresent what it does while somebody is at it
 * @param hours it works only within these, by its own clock
 * @param ceilings what models may take of it
 */
public record CourtesyPolicy(
    Optional<Boolean> notOnBattery,
    OptionalDouble foreignCpu,
    OptionalDouble foreignGpu,
    Optional<WhileUserPresent> whileUserPresent,
    Optional<Hours> hours,
    Ceilings ceilings) {

  /** Nothing at all: a machine works always, unless others say otherwise. */
  public static final CourtesyPolicy NONE =
      new CourtesyPolicy(
          Optional.empty(),
          OptionalDouble.empty(),
          OptionalDouble.empty(),
          Optional.empty(),
          Optional.empty());

  /** Not on battery; all else is left to owners. */
  public static final CourtesyPolicy DEFAULT =
      new CourtesyPolicy(
          Optional.of(true),
          OptionalDouble.empty(),
          OptionalDouble.empty(),
          Optional.empty(),
          Optional.empty());

  /** What a machine does while somebody is at it. */
  public enum WhileUserPresent {
    WORK,
    /** With low priority and few threads. */
    GENTLY,
    PAUSE
  }

  /** Of each day, over midnight where {@code to} is earlier, all day where both are the same. */
  public record Hours(LocalTime from, LocalTime to) {
    /** Reads {@code 18:00-08:00}, as {@link #toString} writes it. */
    public static Hours parse(String text) {
      String[] times = text.split("-", 2);
      return new Hours(LocalTime.parse(times[0]), LocalTime.parse(times[1]));
    }

    @Override
    public String toString() {
      return from + "-" + to;
    }
  }

  /**
   * @throws IllegalArgumentException if a share is out of range; the message is one sentence
   */
  public CourtesyPolicy {
    requireShare("CPU", foreignCpu);
    requireShare("GPU", foreignGpu);
  }

  /** One that says nothing of ceilings. */
  public CourtesyPolicy(
      Optional<Boolean> notOnBattery,
      OptionalDouble foreignCpu,
      OptionalDouble foreignGpu,
      Optional<WhileUserPresent> whileUserPresent,
      Optional<Hours> hours) {
    this(notOnBattery, foreignCpu, foreignGpu, whileUserPresent, hours, Ceilings.NONE);
  }

  private static void requireShare(String what, OptionalDouble share) {
    if (share.isPresent() && !(share.getAsDouble() >= 0 && share.getAsDouble() <= 1)) {
      throw new IllegalArgumentException(
          "the %s load of others: %s (expected: 0 to 1)".formatted(what, share.getAsDouble()));
    }
  }

  /** This, and where it says nothing, the other. */
  public CourtesyPolicy orElse(CourtesyPolicy other) {
    return new CourtesyPolicy(
        notOnBattery.or(other::notOnBattery),
        foreignCpu.isPresent() ? foreignCpu : other.foreignCpu,
        foreignGpu.isPresent() ? foreignGpu : other.foreignGpu,
        whileUserPresent.or(other::whileUserPresent),
        hours.or(other::hours),
        ceilings.orElse(other.ceilings));
  }
}
