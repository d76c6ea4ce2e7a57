package dev.cloister.coordinator.residence;

import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.fleet.Replica;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How long nodes take until they answer for a model: what the same model took there, else its size
 * at the rates that other models had there, else at cautious ones. Times are the coordinator's,
 * from news to news. Not thread-safe.
 */
public final class LoadTimes {
  /** Weight of the newest in moving averages. */
  private static final double NEWEST = 0.5;

  /** Of an SSD on SATA, which most machines have or exceed. */
  private static final double ASSUMED_READ_BYTES_PER_SECOND = 500e6;

  /** A gigabit network, nearly. */
  private static final double ASSUMED_FETCH_BYTES_PER_SECOND = 100e6;

  /** Nothing was fetched that came faster: it was there. */
  private static final double MOST_FETCH_BYTES_PER_SECOND = 1.25e9;

  /** What a process takes before it reads a byte. */
  private static final double START_SECONDS = 0.5;

  private final Map<Place, Double> loads = new HashMap<>();
  private final Map<String, Double> readRates = new HashMap<>();
  private final Map<String, Double> fetchRates = new HashMap<>();
  private final Set<Place> files = new HashSet<>();
  private final Map<Place, Step> steps = new HashMap<>();

  /** What a node is at, and since when. */
  private record Step(boolean fetching, Instant since) {}

  /** Takes news of a whole model. */
  public void note(String nodeId, Model model, Replica replica, Instant now) {
    Place place = new Place(nodeId, model.sha256());
    @Nullable Step step = steps.get(place);
    switch (replica) {
      case Replica.Fetching _ -> {
        if (step == null || !step.fetching) {
          steps.put(place, new Step(true, now));
        }
      }
      case Replica.Loading _ -> {
        if (step == null || step.fetching) {
          fetched(place, model, step, now);
          steps.put(place, new Step(false, now));
        }
      }
      case Replica.Ready _ -> {
        if (step != null) {
          loaded(place, model, step, now);
        }
        steps.remove(place);
        files.add(place);
      }
      case Replica.Staged _, Replica.Failed _ -> steps.remove(place);
    }
  }

  private void fetched(Place place, Model model, @Nullable Step step, Instant now) {
    if (step != null && files.add(place)) {
      double seconds = seconds(step, now);
      if (seconds * MOST_FETCH_BYTES_PER_SECOND > model.sizeBytes()) {
        fetchRates.merge(place.nodeId(), model.sizeBytes() / seconds, LoadTimes::average);
      }
    }
    files.add(place);
  }

  private void loaded(Place place, Model model, Step step, Instant now) {
    double seconds = seconds(step, now);
    if (!step.fetching && seconds > 0) {
      loads.merge(place, seconds, LoadTimes::average);
      readRates.merge(
          place.nodeId(),
          model.sizeBytes() / Math.max(0.001, seconds - START_SECONDS),
          LoadTimes::average);
    }
  }

  private static double seconds(Step step, Instant now) {
    return Duration.between(step.since, now).toNanos() * 1e-9;
  }

  private static double average(double before, double newest) {
    return NEWEST * newest + (1 - NEWEST) * before;
  }

  /** From the order to the first answer, predicted. */
  public double seconds(String nodeId, Model model) {
    Place place = new Place(nodeId, model.sha256());
    @Nullable Double known = loads.get(place);
    double load =
        known != null
            ? known
            : START_SECONDS
                + model.sizeBytes() / readRates.getOrDefault(nodeId, ASSUMED_READ_BYTES_PER_SECOND);
    double fetch =
        files.contains(place)
            ? 0
            : model.sizeBytes() / fetchRates.getOrDefault(nodeId, ASSUMED_FETCH_BYTES_PER_SECOND);
    return fetch + load;
  }

  /**
   * What is left of a load, predicted. The later one is, the longer it is expected to take: what is
   * late for a reason stays late.
   */
  public double remainingSeconds(String nodeId, Model model, Instant since, Instant now) {
    double elapsed = Duration.between(since, now).toNanos() * 1e-9;
    return Math.max(seconds(nodeId, model) - elapsed, elapsed / 5);
  }
}
