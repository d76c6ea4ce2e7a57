package dev.cloister.agent.courtesy;

import dev.cloister.agent.courtesy.Policy.WhileUserPresent;
import dev.cloister.agent.courtesy.Verdict.Cause;
import dev.cloister.agent.courtesy.Verdict.Pause;
import dev.cloister.agent.courtesy.Verdict.Work;
import java.time.Duration;
import java.time.LocalTime;
import java.util.Optional;
import java.util.OptionalDouble;

/** What a policy makes of what is going on. Pure and thread-safe. */
public final class Courtesy {
  /** Who has not touched the machine for so long is not at it. */
  static final Duration AWAY = Duration.ofMinutes(5);

  private Courtesy() {}

  /**
   * Judges one moment; the first reason to pause is the one that is told.
   *
   * @param time by the machine's own clock
   */
  public static Verdict judge(Policy policy, Observation seen, LocalTime time) {
    Optional<Hours> shut =
        policy.hours().stream().filter(hours -> !hours.contain(time)).findFirst();
    if (shut.isPresent()) {
      return new Pause(Cause.HOURS, "not within " + shut.get());
    }
    if (policy.notOnBattery() && seen.onBattery()) {
      return new Pause(Cause.BATTERY, "on battery");
    }
    if (policy.whileUserPresent() == WhileUserPresent.PAUSE
        && seen.userIdle().filter(idle -> idle.compareTo(AWAY) < 0).isPresent()) {
      return new Pause(Cause.USER, "somebody is at the machine");
    }
    if (isAbove(policy.foreignCpu(), seen.foreignCpu())) {
      return new Pause(Cause.CPU, "others use " + percent(seen.foreignCpu()) + " of the CPU");
    }
    if (isAbove(policy.foreignGpu(), seen.foreignGpu())) {
      return new Pause(Cause.GPU, "others use " + percent(seen.foreignGpu()) + " of the GPU");
    }
    return new Work();
  }

  private static boolean isAbove(OptionalDouble limit, OptionalDouble seen) {
    return limit.isPresent() && seen.isPresent() && seen.getAsDouble() > limit.getAsDouble();
  }

  private static String percent(OptionalDouble share) {
    return Math.round(100 * share.orElseThrow()) + " %";
  }
}
