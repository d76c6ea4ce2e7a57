package dev.cloister.coordinator.routing;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.cloister.coordinator.routing.choice.Decision;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Why requests went where they went: the latest decisions, a bounded number for an hour.
 * Thread-safe.
 */
public final class DecisionLog {
  private static final Duration KEPT = Duration.ofHours(1);

  /** Candidates in all decisions together; each takes about a hundred bytes. */
  private static final long MOST_CANDIDATES = 200_000;

  private final InstantSource clock;
  private final Cache<String, List<Entry>> entries;

  /**
   * A decision about a request; one that is moved has several.
   *
   * @param model that was asked for
   * @param tokensBefore how much of the answer the caller had then
   */
  public record Entry(Instant at, String model, int tokensBefore, Decision decision) {}

  DecisionLog(InstantSource clock) {
    this.clock = clock;
    this.entries =
        Caffeine.newBuilder()
            .maximumWeight(MOST_CANDIDATES)
            .weigher(
                (String id, List<Entry> of) ->
                    of.stream().mapToInt(entry -> 1 + entry.decision().predictions().size()).sum())
            .expireAfterWrite(KEPT)
            .build();
  }

  void add(String requestId, String model, int tokensBefore, Decision decision) {
    Entry entry = new Entry(clock.instant(), model, tokensBefore, decision);
    entries
        .asMap()
        .merge(
            requestId,
            List.of(entry),
            (before, added) -> Stream.concat(before.stream(), added.stream()).toList());
  }

  /** The decisions about a request, oldest first; empty if it is not known, or no more. */
  public Optional<List<Entry>> find(String requestId) {
    return Optional.ofNullable(entries.getIfPresent(requestId));
  }
}
