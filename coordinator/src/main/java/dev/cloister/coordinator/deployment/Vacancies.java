package dev.cloister.coordinator.deployment;

import dev.cloister.coordinator.catalog.Catalog;
import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.fleet.NodeView;
import dev.cloister.coordinator.fleet.Replica;
import dev.cloister.coordinator.placement.Offer;
import dev.cloister.coordinator.placement.Placement.Need;
import dev.cloister.coordinator.placement.StageMemory;
import dev.cloister.coordinator.residence.Eviction;
import dev.cloister.coordinator.residence.LoadTimes;
import dev.cloister.coordinator.residence.Place;
import dev.cloister.coordinator.residence.Resident;
import dev.cloister.coordinator.residence.Residents;
import dev.cloister.coordinator.residence.Stay;
import dev.cloister.coordinator.residence.Usage;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** Which nodes could load which models, and what would have to leave. Not thread-safe. */
final class Vacancies {
  private final Catalog catalog;
  private final Demands demands;
  private final Usage usage;
  private final Residents residents;
  private final LoadTimes times;

  Vacancies(Catalog catalog, Demands demands, Usage usage, Residents residents, LoadTimes times) {
    this.catalog = catalog;
    this.demands = demands;
    this.usage = usage;
    this.residents = residents;
    this.times = times;
  }

  /** Whether a node's engines run all of a model. */
  boolean runsOn(Offer node, Model model) {
    return demands.of(model).stream().allMatch(demand -> demand.runsOn(node.library()));
  }

  /**
   * What would have to leave so that a model comes to a node; empty if it cannot, or is there.
   *
   * @param isCopy whether who asks for it could be answered elsewhere
   */
  Optional<Eviction> eviction(Round round, Need need, Place place, boolean isCopy) {
    Model model = need.model();
    if (residents.stay(place).isPresent()
        || residents.isAvoided(place, round.now())
        || !round.mayTake(place.nodeId(), model)) {
      return Optional.empty();
    }
    return round
        .allotment()
        .besideStages(place.nodeId())
        .filter(node -> runsOn(node, model))
        .flatMap(
            node ->
                Eviction.of(
                    node,
                    need.memory(),
                    residents(place.nodeId(), round.now()),
                    isCopy,
                    round.now()));
  }

  /** Whether another node that takes requests has the model, or is about to. */
  boolean isElsewhere(Round round, Place place) {
    return residents.of(place.model()).stream()
        .anyMatch(
            other ->
                !other.nodeId().equals(place.nodeId())
                    && !residents.isGoing(other)
                    && round.isOpen(other.nodeId()));
  }

  /** What is on a node, or will be; what is on its way out makes room for what comes. */
  private List<Resident> residents(String nodeId, Instant now) {
    List<Resident> there = new ArrayList<>();
    for (Place place : residents.on(nodeId)) {
      Optional<Model> model = catalog.find(place.model());
      Optional<Stay> stay = residents.stay(place);
      if (!residents.isGoing(place) && model.isPresent() && stay.isPresent()) {
        there.add(resident(place, stay.get(), model.get(), now));
      }
    }
    return there;
  }

  private Resident resident(Place place, Stay stay, Model model, Instant now) {
    String nodeId = place.nodeId();
    return new Resident(
        place.model(),
        demands.whole(model),
        model.retention().pinned(),
        usage.active(place),
        residents.usedAt(place),
        residents.protectedUntil(
            place, stay, times.remainingSeconds(nodeId, model, stay.since(), now), now),
        times.seconds(nodeId, model));
  }

  /**
   * Until nodes that do not have a model, or not yet, would have it, by model and node.
   *
   * @param forSome whether for those who cannot be answered by any node that has it
   */
  Map<String, Map<String, Double>> seconds(Round round, List<Need> needs, boolean forSome) {
    Map<String, Map<String, Double>> seconds = new HashMap<>();
    for (Need need : needs) {
      Map<String, Double> ofModel = new HashMap<>();
      for (String nodeId : round.nodes().keySet()) {
        seconds(round, need, new Place(nodeId, need.model().name()), forSome)
            .ifPresent(known -> ofModel.put(nodeId, known));
      }
      if (!ofModel.isEmpty()) {
        seconds.put(need.model().name(), Map.copyOf(ofModel));
      }
    }
    return Map.copyOf(seconds);
  }

  private Optional<Double> seconds(Round round, Need need, Place place, boolean forSome) {
    Model model = need.model();
    Optional<Stay> stay = residents.stay(place);
    if (stay.isEmpty()) {
      return eviction(round, need, place, !forSome && isElsewhere(round, place))
          .map(eviction -> times.seconds(place.nodeId(), model) + eviction.seconds());
    }
    return stay.filter(known -> isComing(round, place, known))
        .map(known -> times.remainingSeconds(place.nodeId(), model, known.since(), round.now()));
  }

  private static boolean isComing(Round round, Place place, Stay stay) {
    return stay.isComing()
        && round.isOpen(place.nodeId())
        && round
            .view(place.nodeId())
            .flatMap(view -> view.replica(place.model()))
            .filter(Replica.Failed.class::isInstance)
            .isEmpty();
  }

  /** What comes where, in a few words, by model. */
  Map<String, String> coming(Round round) {
    Map<String, String> words = new HashMap<>();
    for (Place place : residents.places()) {
      residents
          .stay(place)
          .filter(stay -> isComing(round, place, stay))
          .ifPresent(
              stay ->
                  words.put(
                      place.model(),
                      "%s model %s on %s"
                          .formatted(
                              stay.placed() ? "loading" : "making room for",
                              place.model(),
                              name(round, place.nodeId()))));
    }
    return words;
  }

  static String name(Round round, String nodeId) {
    return round.view(nodeId).map(view -> view.node().name()).orElse(nodeId);
  }

  /** That pinned models alone keep a model from its room, where they do, in one sentence. */
  Optional<String> keptOut(Round round, Model model) {
    StageMemory memory = demands.whole(model);
    if (model.options().split().orElse(1) > 1) {
      return Optional.empty();
    }
    for (NodeView view : round.online()) {
      String nodeId = view.node().id();
      List<String> pinned =
          residents(nodeId, round.now()).stream()
              .filter(Resident::pinned)
              .map(Resident::model)
              .toList();
      boolean wouldFit =
          !pinned.isEmpty()
              && round.mayTake(nodeId, model)
              && round
                  .allotment()
                  .besideStages(nodeId)
                  .filter(node -> runsOn(node, model) && node.holds(memory))
                  .isPresent();
      if (wouldFit) {
        return Optional.of(
            "there is no room for '%s': %s keeps %s, which is pinned; unpin a model with: cloister model configure %s --no-pin"
                .formatted(
                    model.name(),
                    view.node().name(),
                    pinned.stream().map(name -> "'" + name + "'").collect(Collectors.joining(", ")),
                    pinned.getFirst()));
      }
    }
    return Optional.empty();
  }
}
