package dev.cloister.coordinator.deployment;

import dev.cloister.coordinator.catalog.Catalog;
import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.catalog.ModelOptions;
import dev.cloister.coordinator.fleet.Assignment;
import dev.cloister.coordinator.fleet.NodeView;
import dev.cloister.coordinator.fleet.Replica;
import dev.cloister.coordinator.placement.Demand;
import dev.cloister.coordinator.placement.Offer;
import dev.cloister.coordinator.placement.Placement;
import dev.cloister.coordinator.placement.Placement.Need;
import dev.cloister.coordinator.residence.Eviction;
import dev.cloister.coordinator.residence.LoadTimes;
import dev.cloister.coordinator.residence.Place;
import dev.cloister.coordinator.residence.Residents;
import dev.cloister.coordinator.residence.Stay;
import dev.cloister.coordinator.residence.Usage;
import dev.cloister.coordinator.residence.Why;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which nodes have all of a model: wherever there is room, unless it waits until it is asked for;
 * and where somebody asks for it, in place of what was not used for longest. Not thread-safe.
 */
final class WholeModels {
  private static final Logger log = LoggerFactory.getLogger(WholeModels.class);

  /** Requests that wait ask again several times a second. */
  private static final Duration FRESH = Duration.ofSeconds(2);

  /** So long room is made for a model that nobody asks for any more. */
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  /** Between two loads of a model: what one is worth shows when it answers. */
  private static final Duration BETWEEN_COPIES = Duration.ofSeconds(30);

  /** So long a node is left out that could not load a model. */
  private static final Duration AVOIDED = Duration.ofSeconds(60);

  private final Catalog catalog;
  private final Demands demands;
  private final Usage usage;
  private final Residents residents;
  private final LoadTimes times = new LoadTimes();
  private final Vacancies vacancies;
  private final Map<String, Instant> claimedAt = new HashMap<>();

  /** When a model last began to answer somewhere. */
  private final Map<String, Instant> cameAt = new HashMap<>();

  private final Set<String> unloaded = new HashSet<>();

  WholeModels(Catalog catalog, Demands demands, Usage usage) {
    this.catalog = catalog;
    this.demands = demands;
    this.usage = usage;
    this.residents = new Residents(usage);
    this.vacancies = new Vacancies(catalog, demands, usage, residents, times);
  }

  /** Takes what a node that opened a session has from an earlier one. */
  void joined(NodeView node, Instant now) {
    String nodeId = node.node().id();
    residents.forgetNode(nodeId);
    node.former().stream()
        .filter(model -> catalog.find(model).isPresent())
        .forEach(model -> residents.found(new Place(nodeId, model), now));
  }

  /** Gives nodes the models that they have, and that fit beside them. */
  void assign(Round round) {
    residents.retainNodes(round.nodes().keySet());
    round.online().forEach(view -> observe(view, round.now()));
    List<Need> needs = needs();
    for (Offer node : round.allotment().freeFor("")) {
      String nodeId = node.nodeId();
      List<Need> allowed = needs.stream().filter(need -> mayHave(round, node, need)).toList();
      List<Need> given = Placement.fill(node, residents.order(nodeId, allowed));
      given.forEach(need -> give(round, nodeId, need));
      residents.settle(nodeId, given, round.now());
    }
  }

  private void observe(NodeView view, Instant now) {
    for (Replica replica : view.replicas()) {
      Place place = new Place(view.node().id(), replica.model());
      Optional<Model> model = catalog.find(replica.model());
      if (!replica.plan().isEmpty() || model.isEmpty()) {
        continue;
      }
      times.note(place.nodeId(), model.get(), replica, now);
      switch (replica) {
        case Replica.Ready _ -> ready(place, now);
        case Replica.Failed failed -> failed(place, failed, now);
        case Replica.Fetching _, Replica.Loading _, Replica.Staged _ ->
            residents.notReady(place, now);
      }
    }
  }

  private void ready(Place place, Instant now) {
    if (residents.stay(place).filter(Stay::isComing).isPresent()) {
      cameAt.put(place.model(), now);
    }
    residents.ready(place, now);
  }

  /** Where it was only because there was room, its agent tries again. */
  private void failed(Place place, Replica.Failed failed, Instant now) {
    residents.notReady(place, now);
    if (residents.stay(place).filter(stay -> stay.why() != Why.CONFIGURED).isPresent()) {
      log.warn("model {} was asked for and cannot be loaded: {}", place.model(), failed.error());
      residents.avoid(place, now.plus(AVOIDED));
    }
  }

  private List<Need> needs() {
    return catalog.models().stream()
        .filter(model -> model.options().split().orElse(1) == 1)
        .map(model -> new Need(model, demands.whole(model)))
        .toList();
  }

  private boolean mayHave(Round round, Offer node, Need need) {
    Model model = need.model();
    return round.allotment().assignment(node.nodeId(), model.name()).isEmpty()
        && vacancies.runsOn(node, model)
        && round.mayServe(node.nodeId(), model)
        && !residents.isAvoided(new Place(node.nodeId(), model.name()), round.now());
  }

  private static void give(Round round, String nodeId, Need need) {
    ModelOptions options = need.model().options();
    round
        .allotment()
        .give(
            nodeId,
            new Assignment(
                need.model(),
                options.contextTokens().orElse(0),
                options.slots().orElse(Demand.SLOTS),
                Optional.empty()),
            need.memory());
  }

  /** Notes that nodes were told what they are to have. */
  void told() {
    unloaded.addAll(residents.gone());
    unloaded.removeIf(model -> !residents.of(model).isEmpty());
  }

  /** Whether a model is to wait until it is asked for, rather than be split over what is left. */
  boolean waitsToBeAsked(Model model) {
    return model.retention().isOnDemand()
        || unloaded.contains(model.name())
        || !residents.of(model.name()).isEmpty();
  }

  /**
   * What asks for models, and how urgently.
   *
   * @param nodeId where it would be answered soonest
   * @param forSome whether no node that has the model may answer who asks
   */
  record Wanted(String nodeId, Instant at, boolean forSome) {
    /** This one, unless an earlier one that is still fresh can be had nowhere else. */
    Wanted after(Wanted earlier) {
      return !forSome && earlier.forSome && at.isBefore(earlier.at.plus(FRESH)) ? earlier : this;
    }
  }

  /**
   * Has models come that are asked for, and go that are not any more.
   *
   * @param last what nodes are to have now
   * @param wanted by model
   * @return whether it is to be decided anew who is to have what
   */
  boolean tick(Round last, Map<String, Wanted> wanted) {
    Instant now = last.now();
    boolean changed = expire(now);
    for (Need need : needs()) {
      Model model = need.model();
      Optional<Wanted> ask =
          Optional.ofNullable(wanted.get(model.name()))
              .filter(asked -> now.isBefore(asked.at().plus(FRESH)))
              // Who asked before it came is answered, and it is not to come back for that.
              .filter(asked -> asked.at().isAfter(cameAt.getOrDefault(model.name(), Instant.MIN)))
              .or(() -> pinned(last, need));
      changed |= ask.isPresent() && fulfil(last, need, ask.get());
    }
    abandon(wanted, now);
    return residents.release() || changed;
  }

  private boolean expire(Instant now) {
    boolean changed = false;
    for (Model model : catalog.models()) {
      Optional<Duration> keepAlive = model.retention().keepAlive();
      Set<Place> places = keepAlive.isEmpty() ? Set.of() : residents.of(model.name());
      for (Place place : places) {
        if (residents.until(place, keepAlive).filter(until -> !until.isAfter(now)).isPresent()
            && residents.leaveIfIdle(place)) {
          log.info("model {} leaves {}: nobody used it", place.model(), place.nodeId());
          changed = true;
        }
      }
    }
    return changed;
  }

  /** A pinned model that no node has is to be loaded whether or not somebody asks. */
  private Optional<Wanted> pinned(Round last, Need need) {
    if (!need.model().retention().pinned() || !residents.of(need.model().name()).isEmpty()) {
      return Optional.empty();
    }
    return vacancies.seconds(last, List.of(need), false).values().stream()
        .flatMap(ofModel -> ofModel.entrySet().stream())
        .min(Map.Entry.comparingByValue())
        .map(best -> new Wanted(best.getKey(), last.now(), false));
  }

  private boolean fulfil(Round last, Need need, Wanted ask) {
    String model = need.model().name();
    Place place = new Place(ask.nodeId(), model);
    Instant now = last.now();
    boolean isCopy = !ask.forSome() && vacancies.isElsewhere(last, place);
    boolean isEarly =
        isCopy && now.isBefore(claimedAt.getOrDefault(model, Instant.EPOCH).plus(BETWEEN_COPIES));
    Optional<Eviction> eviction =
        isEarly ? Optional.empty() : vacancies.eviction(last, need, place, isCopy);
    if (eviction.isEmpty() || eviction.get().delaySeconds() > 0) {
      return false;
    }
    Why asked = isCopy ? Why.COPY : Why.ASKED_FOR;
    Why why = need.model().retention().pinned() ? Why.PINNED : asked;
    log.info(
        "model {} is loaded on {}, {}; leaving for it: {}",
        model,
        Vacancies.name(last, place.nodeId()),
        why,
        eviction.get().going());
    residents.claim(place, why, eviction.get().going(), now);
    claimedAt.put(model, now);
    return true;
  }

  private void abandon(Map<String, Wanted> wanted, Instant now) {
    wanted.values().removeIf(ask -> !now.isBefore(ask.at().plus(PATIENCE)));
    for (Place place : residents.waiting()) {
      boolean isWanted = wanted.containsKey(place.model());
      boolean isInVain =
          residents
              .stay(place)
              .filter(stay -> stay.why() != Why.PINNED && !isWanted)
              .filter(stay -> now.isAfter(stay.since().plus(PATIENCE)))
              .isPresent();
      if (isInVain) {
        residents.abandon(place);
      }
    }
  }

  /** Until nodes that do not have a model, or not yet, would have it, by model and node. */
  Map<String, Map<String, Double>> loadSeconds(Round round, Predicate<String> isSplit) {
    return vacancies.seconds(round, needs(isSplit), false);
  }

  /**
   * The same for those whom no node that has the model may answer: of models that nodes have, and
   * where nodes have labels.
   */
  Map<String, Map<String, Double>> loadSecondsForSome(Round round, Predicate<String> isSplit) {
    return round.online().stream().allMatch(view -> view.labels().isEmpty())
        ? Map.of()
        : vacancies.seconds(
            round, needs(name -> isSplit.test(name) || residents.of(name).isEmpty()), true);
  }

  private List<Need> needs(Predicate<String> isLeftOut) {
    return needs().stream().filter(need -> !isLeftOut.test(need.model().name())).toList();
  }

  /** What requests wait for, in a few words, by model. */
  Map<String, String> awaited(Round round, Map<String, Wanted> wanted) {
    Map<String, String> words = new HashMap<>();
    wanted.forEach(
        (model, ask) -> {
          boolean isNowhere = residents.of(model).stream().allMatch(residents::isGoing);
          if (isNowhere && round.now().isBefore(ask.at().plus(FRESH))) {
            words.put(
                model,
                "waiting for room for model %s on %s"
                    .formatted(model, Vacancies.name(round, ask.nodeId())));
          }
        });
    words.putAll(vacancies.coming(round));
    return Map.copyOf(words);
  }

  /** That pinned models alone keep a model from its room, where they do, in one sentence. */
  Optional<String> keptOut(Round round, Model model) {
    return vacancies.keptOut(round, model);
  }

  /** Why a model is on a node, if all of it is there. */
  Optional<Residence> residence(Place place) {
    return residents
        .stay(place)
        .map(
            stay -> {
              Optional<Model> model = catalog.find(place.model());
              return new Residence(
                  stay.why(),
                  usage.active(place),
                  usage.last(place),
                  residents.until(place, model.flatMap(known -> known.retention().keepAlive())),
                  residents.isGoing(place));
            });
  }
}
