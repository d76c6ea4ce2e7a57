package dev.cloister.coordinator.routing.answer;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.cloister.coordinator.inference.Tenant;
import org.jspecify.annotations.Nullable;

/** How long answers are expected to be, by how long they were lately. Thread-safe. */
public final class AnswerLengths {
  /** What an answer is assumed to need when nothing is known. */
  private static final double ASSUMED_TOKENS = 128;

  private static final double NEWEST = 0.2;
  private static final int MOST_REMEMBERED = 10_000;

  private final Cache<Key, Double> means =
      Caffeine.newBuilder().maximumSize(MOST_REMEMBERED).build();

  /** The tenant is null for everybody's answers by a model. */
  private record Key(@Nullable Tenant tenant, String model) {}

  /**
   * Tokens that an answer is expected to have.
   *
   * @param limit that the request names; 0 for none
   */
  public int expected(Tenant tenant, String model, int limit) {
    @Nullable Double mean = means.getIfPresent(new Key(tenant, model));
    if (mean == null) {
      mean = means.getIfPresent(new Key(null, model));
    }
    int expected = (int) Math.ceil(mean == null ? ASSUMED_TOKENS : mean);
    return limit == 0 ? expected : Math.min(expected, limit);
  }

  /** Takes how many tokens a complete answer had. */
  public void ended(Tenant tenant, String model, int tokens) {
    add(new Key(tenant, model), tokens);
    add(new Key(null, model), tokens);
  }

  private void add(Key key, int tokens) {
    means
        .asMap()
        .merge(key, (double) tokens, (mean, newest) -> NEWEST * newest + (1 - NEWEST) * mean);
  }
}
