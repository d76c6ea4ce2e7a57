package dev.cloister.coordinator.links;

import dev.cloister.coordinator.placement.Network.Link;
import dev.cloister.coordinator.placement.Network.Way;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The ways that were measured. Measurements waver: one that differs little from what is known of a
 * way changes nothing, so that plans stay. Thread-safe.
 */
public final class Links {
  /** What is so many times longer or shorter is news. */
  private static final double NEWS = 1.5;

  /** Round trips below differ by chance. */
  private static final double LEAST_SECONDS = 0.0003;

  private final Map<Way, Known> known = new HashMap<>();

  /**
   * @param link empty: it answers, but the rate was not measured
   * @param cut whether it does not answer
   */
  private record Known(Instant at, Optional<Link> link, boolean cut) {}

  /**
   * Takes a finding.
   *
   * @return whether plans may have to be others by it
   */
  public synchronized boolean note(Way way, Finding finding, Instant now) {
    @Nullable Known before = known.get(way);
    Known fresh =
        switch (finding) {
          case Finding.Unreachable(String _) -> new Known(now, Optional.empty(), true);
          case Finding.Reached(double roundTripSeconds, double bytesPerSecond) ->
              bytesPerSecond == 0
                  ? new Known(now, before == null ? Optional.empty() : before.link(), false)
                  : new Known(
                      now, Optional.of(Link.measured(roundTripSeconds, bytesPerSecond)), false);
        };
    boolean news = isNews(before, fresh);
    known.put(way, news || before == null ? fresh : new Known(now, before.link(), fresh.cut()));
    return news;
  }

  private static boolean isNews(@Nullable Known before, Known fresh) {
    if (before == null) {
      return fresh.cut() || fresh.link().isPresent();
    }
    return before.cut() != fresh.cut()
        || before.link().isPresent() != fresh.link().isPresent()
        || (before.link().isPresent() && differ(before.link().get(), fresh.link().orElseThrow()));
  }

  private static boolean differ(Link one, Link other) {
    return differ(
            Math.max(LEAST_SECONDS, one.roundTripSeconds()),
            Math.max(LEAST_SECONDS, other.roundTripSeconds()))
        || differ(one.bytesPerSecond(), other.bytesPerSecond());
  }

  private static boolean differ(double one, double other) {
    return Math.max(one, other) > NEWS * Math.min(one, other);
  }

  /** Forgets the ways from and to a node, which may be elsewhere now. */
  public synchronized void forget(String nodeId) {
    known.keySet().removeIf(way -> way.from().equals(nodeId) || way.to().equals(nodeId));
  }

  /** What was measured of the ways that are not cut. */
  public synchronized Map<Way, Link> measured() {
    Map<Way, Link> links = new HashMap<>();
    known.forEach(
        (way, found) -> {
          if (!found.cut()) {
            found.link().ifPresent(link -> links.put(way, link));
          }
        });
    return links;
  }

  /** Ways on which the one node cannot dial the other. */
  public synchronized Set<Way> cut() {
    Set<Way> ways = new HashSet<>();
    known.forEach(
        (way, found) -> {
          if (found.cut()) {
            ways.add(way);
          }
        });
    return ways;
  }

  /** Whether this one is cut. */
  public synchronized boolean isCut(Way way) {
    @Nullable Known found = known.get(way);
    return found != null && found.cut();
  }

  /** When the way was measured last, and whether all of it that can be. */
  synchronized Optional<Instant> measuredAt(Way way, boolean altogether) {
    @Nullable Known found = known.get(way);
    return found == null || (altogether && !found.cut() && found.link().isEmpty())
        ? Optional.empty()
        : Optional.of(found.at());
  }
}
