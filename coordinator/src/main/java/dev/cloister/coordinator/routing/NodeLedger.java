package dev.cloister.coordinator.routing;

import java.time.Duration;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What the coordinator itself knows of each node's work: requests sent there, tokens still
 * expected, rates seen. Kept here rather than taken from the node's reports, because a decision
 * must count the request that was sent a millisecond ago. Thread-safe.
 */
final class NodeLedger {
  /** Weight of the newest answer in the moving average of a rate. */
  private static final double NEWEST = 0.3;

  /** Answers shorter than this say more about latency than about the rate. */
  private static final int LEAST_TOKENS_TO_MEASURE = 8;

  private final Map<Key, Entry> entries = new ConcurrentHashMap<>();

  /** Work on one node for one model. */
  record Key(String nodeId, String model) {}

  /** Immutable. */
  record Entry(int active, long pendingTokens, OptionalDouble tokensPerSecond, long served) {
    static final Entry EMPTY = new Entry(0, 0, OptionalDouble.empty(), 0);
  }

  Entry of(Key key) {
    return entries.getOrDefault(key, Entry.EMPTY);
  }

  void began(Key key, int expectedTokens) {
    entries.merge(
        key,
        new Entry(1, expectedTokens, OptionalDouble.empty(), 1),
        (entry, added) ->
            new Entry(
                entry.active + 1,
                entry.pendingTokens + expectedTokens,
                entry.tokensPerSecond,
                entry.served + 1));
  }

  void ended(Key key, int expectedTokens) {
    entries.computeIfPresent(
        key,
        (k, entry) ->
            new Entry(
                entry.active - 1,
                entry.pendingTokens - expectedTokens,
                entry.tokensPerSecond,
                entry.served));
  }

  /** Takes the rate of a finished answer. */
  void measured(Key key, int tokens, Duration generating) {
    if (tokens < LEAST_TOKENS_TO_MEASURE || !generating.isPositive()) {
      return;
    }
    double rate = tokens / (generating.toNanos() / 1e9);
    entries.computeIfPresent(
        key,
        (k, entry) ->
            new Entry(
                entry.active,
                entry.pendingTokens,
                OptionalDouble.of(
                    entry.tokensPerSecond.isPresent()
                        ? NEWEST * rate + (1 - NEWEST) * entry.tokensPerSecond.getAsDouble()
                        : rate),
                entry.served));
  }
}
