package dev.cloister.coordinator.routing.prefix;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Which nodes hold the state of which beginnings of prompts, as their engines tell. Bounded: what
 * was not asked for lately is forgotten first. Thread-safe.
 */
public final class PrefixIndex {
  /** Of all marks together: about a hundred bytes each. */
  private static final long MOST_HOLDERS = 300_000;

  /** Nodes that are told to hold one beginning; more choice makes no answer sooner. */
  private static final int MOST_PER_MARK = 64;

  private static final int MOST_TOKENS = 1 << 24;

  private final Cache<Long, List<Holder>> holders =
      Caffeine.newBuilder()
          .maximumWeight(MOST_HOLDERS)
          .weigher((Long mark, List<Holder> of) -> 1 + of.size())
          .build();

  private final Map<Place, Telling> current = new ConcurrentHashMap<>();

  /** An engine of a model on a node. */
  private record Place(String nodeId, String model) {}

  /** All that one engine told; what another engine in its place told before does not hold. */
  private static final class Telling {}

  private record Holder(Place place, Telling telling, int tokens) {}

  /**
   * Takes what an engine tells.
   *
   * @param whole whether this is all that it holds
   * @param held beginnings that it holds now, {@code tokens} of each
   * @param dropped beginnings that it holds no more
   * @throws IllegalArgumentException if there are not as many tokens as beginnings
   */
  public void told(
      String nodeId,
      String model,
      boolean whole,
      List<Long> held,
      List<Integer> tokens,
      List<Long> dropped) {
    if (held.size() != tokens.size()) {
      throw new IllegalArgumentException(
          "%d prefixes with %d counts of tokens (expected: as many)"
              .formatted(held.size(), tokens.size()));
    }
    Place place = new Place(nodeId, model);
    Telling telling =
        whole ? replace(place) : current.computeIfAbsent(place, unknown -> new Telling());
    for (int i = 0; i < held.size(); i++) {
      Holder holder = new Holder(place, telling, Math.clamp(tokens.get(i), 0, MOST_TOKENS));
      holders.asMap().compute(held.get(i), (mark, before) -> with(before, place, holder));
    }
    for (Long mark : dropped) {
      holders.asMap().computeIfPresent(mark, (same, before) -> with(before, place, null));
    }
  }

  private Telling replace(Place place) {
    Telling telling = new Telling();
    current.put(place, telling);
    return telling;
  }

  private @Nullable List<Holder> with(
      @Nullable List<Holder> before, Place place, @Nullable Holder holder) {
    List<Holder> after = new ArrayList<>();
    if (holder != null) {
      after.add(holder);
    }
    if (before != null) {
      before.stream()
          .filter(other -> !other.place.equals(place) && holds(other))
          .limit(MOST_PER_MARK - after.size())
          .forEach(after::add);
    }
    return after.isEmpty() ? null : List.copyOf(after);
  }

  /** Forgets what an engine told, since it is gone. */
  public void forget(String nodeId, String model) {
    current.remove(new Place(nodeId, model));
  }

  /** A telling is itself and nothing else. */
  @SuppressWarnings("ReferenceEquality")
  private boolean holds(Holder holder) {
    return current.get(holder.place) == holder.telling;
  }

  /**
   * How many tokens of a prompt nodes hold, for those that hold any.
   *
   * @param marks of the prompt, shortest beginning first
   */
  public Map<String, Integer> find(List<Long> marks) {
    Map<String, Integer> found = new HashMap<>();
    for (int i = marks.size() - 1; i >= 0 && found.size() < MOST_PER_MARK; i--) {
      @Nullable List<Holder> holding = holders.getIfPresent(marks.get(i));
      if (holding != null) {
        for (Holder holder : holding) {
          if (holds(holder)) {
            found.putIfAbsent(holder.place.nodeId, holder.tokens);
          }
        }
      }
    }
    return found;
  }
}
