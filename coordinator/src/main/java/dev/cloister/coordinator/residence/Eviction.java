package dev.cloister.coordinator.residence;

import dev.cloister.coordinator.placement.Offer;
import dev.cloister.coordinator.placement.StageMemory;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * What has to leave a node so that another model fits: idle ones before those that answer, the
 * least recently used first, none in vain, and pinned ones never.
 *
 * @param going the models
 * @param delaySeconds before it may begin
 * @param costSeconds beside that: until those that answer are done, and what it takes to load again
 *     what was used a moment ago
 */
public record Eviction(List<String> going, double delaySeconds, double costSeconds) {
  /** Nothing has to leave. */
  public static final Eviction NONE = new Eviction(List.of(), 0, 0);

  /** What was used within it will be asked for again, and leaves for no copy of another. */
  static final Duration RECENT = Duration.ofMinutes(5);

  /** Until answers that are under way are done, about. */
  private static final double BUSY_SECONDS = 15;

  public Eviction {
    going = List.copyOf(going);
  }

  /**
   * Chooses.
   *
   * @param node what it has for whole models, all together
   * @param residents the whole models that it has, or is about to have
   * @param forCopy whether the model is loaded on another node already
   * @return empty if it does not fit beside those that may not leave
   */
  public static Optional<Eviction> of(
      Offer node, StageMemory need, List<Resident> residents, boolean forCopy, Instant now) {
    if (fits(node, need, residents)) {
      return Optional.of(NONE);
    }
    List<Resident> staying = new ArrayList<>(residents);
    List<Resident> going = new ArrayList<>();
    List<Resident> order =
        residents.stream()
            .filter(resident -> mayGo(resident, forCopy, now))
            .sorted(
                Comparator.<Resident, Boolean>comparing(resident -> resident.active() > 0)
                    .thenComparing(Resident::usedAt)
                    .thenComparing(Resident::model))
            .toList();
    for (Resident next : order) {
      staying.remove(next);
      going.add(next);
      if (fits(node, need, staying)) {
        return Optional.of(of(withoutThoseInVain(node, need, staying, going), now));
      }
    }
    return Optional.empty();
  }

  private static boolean mayGo(Resident resident, boolean forCopy, Instant now) {
    return !resident.pinned() && !(forCopy && (resident.active() > 0 || isRecent(resident, now)));
  }

  private static boolean isRecent(Resident resident, Instant now) {
    return now.isBefore(resident.usedAt().plus(RECENT));
  }

  /** A small model that was not used for long makes no room where a large one has to leave too. */
  private static List<Resident> withoutThoseInVain(
      Offer node, StageMemory need, List<Resident> staying, List<Resident> going) {
    List<Resident> needed = new ArrayList<>(going);
    for (Resident candidate : going.reversed()) {
      staying.add(candidate);
      if (fits(node, need, staying)) {
        needed.remove(candidate);
      } else {
        staying.remove(candidate);
      }
    }
    return needed;
  }

  private static boolean fits(Offer node, StageMemory need, List<Resident> staying) {
    Offer left = node;
    for (Resident resident : staying) {
      left = left.without(resident.memory());
    }
    return left.holds(need);
  }

  private static Eviction of(List<Resident> going, Instant now) {
    double delay = 0;
    double cost = 0;
    for (Resident resident : going) {
      double protectedFor = Duration.between(now, resident.protectedUntil()).toMillis() * 1e-3;
      delay = Math.max(delay, protectedFor);
      cost += isRecent(resident, now) ? resident.reloadSeconds() : 0;
    }
    boolean busy = going.stream().anyMatch(resident -> resident.active() > 0);
    return new Eviction(
        going.stream().map(Resident::model).toList(), delay, cost + (busy ? BUSY_SECONDS : 0));
  }

  /** All of it. */
  public double seconds() {
    return delaySeconds + costSeconds;
  }
}
