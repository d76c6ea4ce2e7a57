package dev.cloister.coordinator.residence;

import com.google.common.collect.LinkedHashMultimap;
import com.google.common.collect.SetMultimap;
import dev.cloister.coordinator.placement.Placement;
import dev.cloister.coordinator.placement.Placement.Need;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The whole models that nodes have, or are to have, and why. Not thread-safe. */
public final class Residents {
  /**
   * What was loaded for requests answers for so long before it makes room for another: where two
   * models have room for one, each gets its turn.
   */
  static final Duration TURN = Duration.ofSeconds(10);

  private final Usage usage;
  private final Map<Place, Stay> stays = new LinkedHashMap<>();
  private final SetMultimap<String, Place> byNode = LinkedHashMultimap.create();
  private final SetMultimap<String, Place> byModel = LinkedHashMultimap.create();

  /** Those that are to go, and for whom. */
  private final Map<Place, Place> going = new HashMap<>();

  private final Map<Place, Instant> avoided = new HashMap<>();

  public Residents(Usage usage) {
    this.usage = usage;
  }

  private void put(Place place, Stay stay) {
    if (stays.put(place, stay) == null) {
      byNode.put(place.nodeId(), place);
      byModel.put(place.model(), place);
    }
  }

  private void take(Place place) {
    stays.remove(place);
    byNode.remove(place.nodeId(), place);
    byModel.remove(place.model(), place);
  }

  /** Forgets the nodes that are gone. */
  public void retainNodes(Set<String> nodeIds) {
    Set.copyOf(byNode.keySet()).stream()
        .filter(nodeId -> !nodeIds.contains(nodeId))
        .forEach(this::forgetNode);
  }

  /** Forgets what a node has. */
  public void forgetNode(String nodeId) {
    on(nodeId).forEach(this::remove);
    avoided.keySet().removeIf(place -> place.nodeId().equals(nodeId));
  }

  /** Notes that a node has a model already. */
  public void found(Place place, Instant now) {
    put(place, new Stay(Why.CONFIGURED, now, true, Optional.empty()));
  }

  /** All that are there, or are to be. */
  public Set<Place> places() {
    return Set.copyOf(stays.keySet());
  }

  /** Those that wait for room. */
  public List<Place> waiting() {
    return stays.entrySet().stream()
        .filter(entry -> !entry.getValue().placed())
        .map(Map.Entry::getKey)
        .toList();
  }

  /** Those of a node. */
  public Set<Place> on(String nodeId) {
    return Set.copyOf(byNode.get(nodeId));
  }

  /** Those of a model. */
  public Set<Place> of(String model) {
    return Set.copyOf(byModel.get(model));
  }

  public Optional<Stay> stay(Place place) {
    return Optional.ofNullable(stays.get(place));
  }

  /** Whether a place is being left. */
  public boolean isGoing(Place place) {
    return going.containsKey(place);
  }

  /**
   * The models that a node may have, in the order in which they get room there: those that it has,
   * the latest used first; those that have been asked for; and then, where nobody waits for room,
   * those that are loaded wherever they fit.
   */
  public List<Need> order(String nodeId, List<Need> allowed) {
    boolean isAwaited =
        byNode.get(nodeId).stream().anyMatch(place -> stay(place).filter(Stay::placed).isEmpty());
    List<Need> kept = new ArrayList<>();
    List<Need> claimed = new ArrayList<>();
    List<Need> others = new ArrayList<>();
    for (Need need : allowed) {
      @Nullable Stay stay = stays.get(new Place(nodeId, need.model().name()));
      if (stay != null) {
        (stay.placed() ? kept : claimed).add(need);
      } else if (!isAwaited && !need.model().retention().isOnDemand()) {
        others.add(need);
      }
    }
    kept.sort(
        Comparator.<Need, Boolean>comparing(need -> !need.model().retention().pinned())
            .thenComparing(
                need -> usedAt(new Place(nodeId, need.model().name())), Comparator.reverseOrder())
            .thenComparing(Placement.SMALLEST_FIRST));
    claimed.sort(Placement.SMALLEST_FIRST);
    others.sort(
        Comparator.<Need, Boolean>comparing(need -> !need.model().retention().pinned())
            .thenComparing(Placement.SMALLEST_FIRST));
    kept.addAll(claimed);
    kept.addAll(others);
    return kept;
  }

  /** Takes what a node is to have now; what waits for room goes on waiting. */
  public void settle(String nodeId, List<Need> given, Instant now) {
    Map<Place, Need> places = new LinkedHashMap<>();
    given.forEach(need -> places.put(new Place(nodeId, need.model().name()), need));
    on(nodeId).stream()
        .filter(place -> !places.containsKey(place))
        .filter(place -> stay(place).filter(Stay::placed).isPresent())
        .forEach(this::remove);
    places.forEach(
        (place, need) -> {
          Why why = need.model().retention().pinned() ? Why.PINNED : Why.CONFIGURED;
          put(
              place,
              stay(place)
                  .map(stay -> stay.inPlace(now))
                  .orElse(new Stay(why, now, true, Optional.empty())));
        });
  }

  /**
   * Has a model come to a node as soon as others have left.
   *
   * @param leaving those that have to leave; they get no new requests from now on
   */
  public void claim(Place place, Why why, List<String> leaving, Instant now) {
    put(place, new Stay(why, now, false, Optional.empty()));
    for (String model : leaving) {
      Place other = new Place(place.nodeId(), model);
      going.put(other, place);
      usage.leave(other);
    }
  }

  /** Has a model come no more that waits for room, and those stay that would have left for it. */
  public void abandon(Place place) {
    remove(place);
    for (Map.Entry<Place, Place> entry : List.copyOf(going.entrySet())) {
      if (entry.getValue().equals(place)) {
        going.remove(entry.getKey());
        usage.stay(entry.getKey());
      }
    }
  }

  /** Has those go that are to go and answer no more; whether there were any. */
  public boolean release() {
    Set<Place> idle =
        going.keySet().stream()
            .filter(place -> stays.containsKey(place) && usage.active(place) == 0)
            .collect(Collectors.toUnmodifiableSet());
    idle.forEach(this::take);
    return !idle.isEmpty();
  }

  /**
   * Forgets those that have gone and been told so. Until then requests are kept from them.
   *
   * @return the models that went
   */
  public Set<String> gone() {
    Set<Place> gone =
        going.keySet().stream()
            .filter(place -> !stays.containsKey(place))
            .collect(Collectors.toUnmodifiableSet());
    gone.forEach(
        place -> {
          going.remove(place);
          usage.forget(place);
        });
    return gone.stream().map(Place::model).collect(Collectors.toUnmodifiableSet());
  }

  /** Has an idle model go, for nobody; whether it does. */
  public boolean leaveIfIdle(Place place) {
    if (!usage.leave(place)) {
      usage.stay(place);
      return false;
    }
    going.put(place, place);
    take(place);
    return true;
  }

  /** Takes a model away that cannot be loaded there, and has it not come again for a while. */
  public void avoid(Place place, Instant until) {
    remove(place);
    avoided.put(place, until);
  }

  public boolean isAvoided(Place place, Instant now) {
    return now.isBefore(avoided.getOrDefault(place, Instant.EPOCH));
  }

  private void remove(Place place) {
    take(place);
    if (!going.containsKey(place)) {
      usage.forget(place);
    }
  }

  /** Notes that a model answers. */
  public void ready(Place place, Instant now) {
    stays.computeIfPresent(place, (known, stay) -> stay.ready(now));
  }

  /** Notes that a model does not answer, or not yet. */
  public void notReady(Place place, Instant now) {
    stays.computeIfPresent(place, (known, stay) -> stay.notReady(now));
  }

  /** When a model was last used, or came; to be asked where it stays. */
  public Instant usedAt(Place place) {
    @Nullable Stay stay = stays.get(place);
    Instant came = stay == null ? Instant.EPOCH : stay.readyAt().orElse(stay.since());
    return usage.last(place).filter(last -> last.isAfter(came)).orElse(came);
  }

  /**
   * Before when a model may not be unloaded.
   *
   * @param comingSeconds until it answers, where it does not
   */
  public Instant protectedUntil(Place place, Stay stay, double comingSeconds, Instant now) {
    boolean asked = stay.why() == Why.ASKED_FOR || stay.why() == Why.COPY;
    if (stay.readyAt().isEmpty()) {
      return asked ? now.plusMillis((long) (comingSeconds * 1_000)).plus(TURN) : Instant.EPOCH;
    }
    Instant turn = stay.readyAt().get().plus(TURN);
    boolean isUsed = usage.last(place).isPresent();
    return usage.active(place) > 0 || (asked && !isUsed) ? turn : Instant.EPOCH;
  }

  /** When a model is unloaded that is not used any more; empty while it is, or where it stays. */
  public Optional<Instant> until(Place place, Optional<Duration> keepAlive) {
    @Nullable Stay stay = stays.get(place);
    if (keepAlive.isEmpty() || stay == null || stay.isComing() || usage.active(place) > 0) {
      return Optional.empty();
    }
    boolean unused = usage.last(place).isEmpty();
    Duration time = unused && keepAlive.get().compareTo(TURN) < 0 ? TURN : keepAlive.get();
    return Optional.of(usedAt(place).plus(time));
  }
}
