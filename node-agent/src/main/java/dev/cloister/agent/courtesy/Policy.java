package dev.cloister.agent.courtesy;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/**
 * When a machine works for the cluster. Immutable.
 *
 * @param notOnBattery whether it pauses on battery
 * @param foreignCpu how much of all cores others may use before it pauses, 0 to 1; empty: any
 * @param foreignGpu the same of its GPUs
 * @param whileUserPresent what it does while somebody is at the machine
 * @param hours it works only while it is in all of these
 * @param ceilings what models may take of it
 */
public record Policy(
    boolean notOnBattery,
    OptionalDouble foreignCpu,
    OptionalDouble foreignGpu,
    WhileUserPresent whileUserPresent,
    List<Hours> hours,
    Ceilings ceilings) {

  /** What a machine does while somebody is at it; the later, the stricter. */
  public enum WhileUserPresent {
    /** It works as always. */
    WORK,
    /**
     * Its engines run with low priority and half of the threads. Also while nobody is there: a
     * process may give up priority, but not take it back.
     */
    GENTLY,
    /** It pauses. */
    PAUSE
  }

  /** Works always. */
  public static final Policy NONE =
      new Policy(
          false, OptionalDouble.empty(), OptionalDouble.empty(), WhileUserPresent.WORK, List.of());

  /**
   * @throws IllegalArgumentException if a share is out of range; the message is one sentence
   */
  public Policy {
    requireShare("CPU", foreignCpu);
    requireShare("GPU", foreignGpu);
    hours = List.copyOf(hours);
  }

  /** One without ceilings. */
  public Policy(
      boolean notOnBattery,
      OptionalDouble foreignCpu,
      OptionalDouble foreignGpu,
      WhileUserPresent whileUserPresent,
      List<Hours> hours) {
    this(notOnBattery, foreignCpu, foreignGpu, whileUserPresent, hours, Ceilings.NONE);
  }

  /** The same with other ceilings. */
  public Policy with(Ceilings other) {
    return new Policy(notOnBattery, foreignCpu, foreignGpu, whileUserPresent, hours, other);
  }

  private static void requireShare(String what, OptionalDouble share) {
    if (share.isPresent() && !(share.getAsDouble() >= 0 && share.getAsDouble() <= 1)) {
      throw new IllegalArgumentException(
          "the %s load of others: %s (expected: 0 %% to 100 %%)".formatted(what, share));
    }
  }

  /** What keeps to both. */
  public Policy and(Policy other) {
    List<Hours> all = new ArrayList<>(hours);
    other.hours.stream().filter(each -> !all.contains(each)).forEach(all::add);
    return new Policy(
        notOnBattery || other.notOnBattery,
        least(foreignCpu, other.foreignCpu),
        least(foreignGpu, other.foreignGpu),
        whileUserPresent.compareTo(other.whileUserPresent) > 0
            ? whileUserPresent
            : other.whileUserPresent,
        all,
        ceilings.and(other.ceilings));
  }

  private static OptionalDouble least(OptionalDouble a, OptionalDouble b) {
    return a.isPresent() && b.isPresent()
        ? OptionalDouble.of(Math.min(a.getAsDouble(), b.getAsDouble()))
        : a.isPresent() ? a : b;
  }

  /** Whether anything is to be observed. */
  boolean asksNothing() {
    return !notOnBattery
        && foreignCpu.isEmpty()
        && foreignGpu.isEmpty()
        && whileUserPresent != WhileUserPresent.PAUSE
        && hours.isEmpty();
  }
}
