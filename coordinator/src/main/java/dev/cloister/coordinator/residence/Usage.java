package dev.cloister.coordinator.residence;

import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Which models answer where, and when they last did. Thread-safe: that a request begins and that a
 * model is to go are one after the other, so that none is unloaded while it answers.
 */
public final class Usage {
  private final Map<Place, Use> uses = new HashMap<>();

  private static final class Use {
    private int active;
    private @Nullable Instant last;
    private boolean leaving;
  }

  /** Notes that a request is to begin; whether it may. */
  public synchronized boolean begin(Place place, Instant now) {
    Use use = uses.computeIfAbsent(place, known -> new Use());
    if (use.leaving) {
      return false;
    }
    use.active++;
    use.last = now;
    return true;
  }

  /** Notes that a request that began has ended. */
  public synchronized void end(Place place, Instant now) {
    @Nullable Use use = uses.get(place);
    if (use != null && use.active > 0) {
      use.active--;
      use.last = now;
    }
  }

  /** Has no request begin any more; whether none is under way. */
  public synchronized boolean leave(Place place) {
    Use use = uses.computeIfAbsent(place, known -> new Use());
    use.leaving = true;
    return use.active == 0;
  }

  /** Has requests begin again. */
  public synchronized void stay(Place place) {
    @Nullable Use use = uses.get(place);
    if (use != null) {
      use.leaving = false;
    }
  }

  public synchronized boolean isLeaving(Place place) {
    @Nullable Use use = uses.get(place);
    return use != null && use.leaving;
  }

  /** Requests that are under way. */
  public synchronized int active(Place place) {
    @Nullable Use use = uses.get(place);
    return use == null ? 0 : use.active;
  }

  /** When a request last began or ended; empty if none did since the model came there. */
  public synchronized Optional<Instant> last(Place place) {
    @Nullable Use use = uses.get(place);
    return use == null ? Optional.empty() : Optional.ofNullable(use.last);
  }

  /** Forgets a model that is not there any more; what is still under way is counted to its end. */
  public synchronized void forget(Place place) {
    @Nullable Use use = uses.get(place);
    if (use != null) {
      use.leaving = false;
      use.last = null;
      if (use.active == 0) {
        uses.remove(place);
      }
    }
  }
}
