package dev.cloister.coordinator.routing;

import com.google.common.collect.Sets;
import dev.cloister.coordinator.fleet.Fleet;
import dev.cloister.coordinator.fleet.NodeView;
import dev.cloister.coordinator.fleet.Replica;
import dev.cloister.coordinator.routing.choice.Ask;
import dev.cloister.coordinator.routing.choice.Ask.Wait;
import dev.cloister.coordinator.routing.choice.Candidate;
import dev.cloister.coordinator.routing.choice.Decision;
import dev.cloister.coordinator.routing.choice.ModelLedger;
import dev.cloister.coordinator.routing.choice.Prediction;
import dev.cloister.coordinator.routing.choice.Work;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The nodes that have a model, by model, kept up to date as the fleet changes, with the work they
 * were given. Thread-safe: each model's ledger has its own lock, so that a choice and the count of
 * what was chosen are one step.
 */
final class CandidateBook {
  private static final Logger log = LoggerFactory.getLogger(CandidateBook.class);

  private final Fleet fleet;
  private final BiConsumer<String, String> gone;
  private final Supplier<Map<String, Map<String, Double>>> loadSeconds;
  private final InstantSource clock;
  private final Map<String, ModelLedger> ledgers = new ConcurrentHashMap<>();
  private final Map<String, Duration> roundTrips = new ConcurrentHashMap<>();
  private volatile Map<String, Map<String, Double>> takenLoadSeconds = Map.of();

  /** What nodes are at, by node and model: what runs for one model slows the others there. */
  private final Map<String, Map<String, Integer>> busy = new ConcurrentHashMap<>();

  /**
   * @param gone is told the node and the model where the model cannot be asked any more
   * @param loadSeconds until nodes that do not have a model would have it, by model and node
   */
  CandidateBook(
      Fleet fleet,
      BiConsumer<String, String> gone,
      Supplier<Map<String, Map<String, Double>>> loadSeconds,
      InstantSource clock) {
    this.fleet = fleet;
    this.gone = gone;
    this.loadSeconds = loadSeconds;
    this.clock = clock;
  }

  /**
   * What was decided.
   *
   * @param work of the chosen node; null where there is no choice
   */
  record Placed(Decision decision, @Nullable Work work) {
    static final Placed NOWHERE = new Placed(Decision.NONE, null);

    /** Whether there are nodes to wait for. */
    boolean hasToWait() {
      return work == null && !decision.predictions().isEmpty();
    }
  }

  /** Takes what changed on a node. One after the other, so that the last one is what holds. */
  synchronized void update(String nodeId) {
    Optional<NodeView> view = fleet.view(nodeId);
    view.ifPresent(
        node ->
            node.replicas()
                .forEach(
                    replica ->
                        ledgers.computeIfAbsent(replica.model(), model -> new ModelLedger())));
    ledgers.forEach((model, ledger) -> update(model, ledger, nodeId, view));
  }

  /** Takes what is new of nodes that could load a model. */
  private synchronized void takeLoadSeconds() {
    Map<String, Map<String, Double>> newest = loadSeconds.get();
    Map<String, Map<String, Double>> before = takenLoadSeconds;
    takenLoadSeconds = newest;
    for (String model : Sets.union(before.keySet(), newest.keySet())) {
      ModelLedger ledger = ledgers.computeIfAbsent(model, name -> new ModelLedger());
      Map<String, Double> was = before.getOrDefault(model, Map.of());
      Map<String, Double> is = newest.getOrDefault(model, Map.of());
      for (String nodeId : Sets.union(was.keySet(), is.keySet())) {
        if (!Objects.equals(was.get(nodeId), is.get(nodeId))) {
          update(model, ledger, nodeId, fleet.view(nodeId));
        }
      }
    }
  }

  private void update(String model, ModelLedger ledger, String nodeId, Optional<NodeView> view) {
    Optional<Replica.Ready> ready = view.flatMap(node -> Hosts.generating(node, model));
    boolean loading =
        view.flatMap(node -> node.replica(model))
            .filter(Replica.Loading.class::isInstance)
            .isPresent();
    @Nullable Double untilLoaded = takenLoadSeconds.getOrDefault(model, Map.of()).get(nodeId);
    synchronized (ledger) {
      if (ready.isPresent()) {
        ledger.put(Hosts.of(view.orElseThrow(), ready.get()));
        roundTrip(ledger, nodeId);
      } else {
        if (view.isPresent() && untilLoaded != null) {
          ledger.put(Hosts.of(view.get(), untilLoaded));
          roundTrip(ledger, nodeId);
        } else {
          ledger.remove(nodeId);
        }
        gone.accept(nodeId, model);
        if (loading) {
          ledger.loading(nodeId);
        }
      }
    }
    if (ready.isPresent()) {
      Map<String, Integer> models = tellOthers(model, nodeId);
      others(model, nodeId, models);
    }
  }

  /** Has the ledgers of a node's other models know what it is at for this one. */
  private Map<String, Integer> tellOthers(String model, String nodeId) {
    Map<String, Integer> models = busy.computeIfAbsent(nodeId, id -> new ConcurrentHashMap<>());
    ModelLedger own = ofWork(model);
    synchronized (own) {
      models.put(model, own.busy(nodeId));
    }
    // One lock at a time.
    models.keySet().stream()
        .filter(other -> !other.equals(model))
        .forEach(other -> others(other, nodeId, models));
    return models;
  }

  private void others(String model, String nodeId, Map<String, Integer> models) {
    ModelLedger ledger = ofWork(model);
    synchronized (ledger) {
      int all = models.values().stream().mapToInt(Integer::intValue).sum();
      ledger.others(nodeId, all - models.getOrDefault(model, 0), nanos());
    }
  }

  /** Takes how long a message to a node and its answer took. */
  void roundTrip(String nodeId, Duration measured) {
    roundTrips.put(nodeId, measured);
    for (ModelLedger ledger : ledgers.values()) {
      synchronized (ledger) {
        if (ledger.candidate(nodeId).isPresent()) {
          roundTrip(ledger, nodeId);
        }
      }
    }
  }

  private void roundTrip(ModelLedger ledger, String nodeId) {
    @Nullable Duration known = roundTrips.get(nodeId);
    if (known != null) {
      ledger.roundTrip(nodeId, known.toNanos() * 1e-9);
    }
  }

  /**
   * Chooses a node that has the model and counts the request there. Where one that would have to
   * load it is better, the decision says so.
   *
   * @param characters of the prompt
   * @param answerTokens expected
   * @param waits where the request may wait for a slot
   * @param cachedTokens of the prompt, by node
   * @param allowed removes candidates before the choice
   */
  Placed place(
      String model,
      int characters,
      int answerTokens,
      Wait waits,
      Map<String, Integer> cachedTokens,
      Predicate<Candidate> allowed) {
    if (!loadSeconds.get().equals(takenLoadSeconds)) {
      takeLoadSeconds();
    }
    @Nullable ModelLedger ledger = ledgers.get(model);
    if (ledger == null) {
      return Placed.NOWHERE;
    }
    while (true) {
      String nodeId;
      @Nullable Placed placed = null;
      synchronized (ledger) {
        Ask ask = ledger.ask(characters, answerTokens).with(waits);
        Decision decision = ledger.choose(ask, cachedTokens, allowed, nanos());
        Optional<Prediction> ready = decision.ready();
        if (ready.isEmpty()) {
          return new Placed(decision, null);
        }
        Prediction chosen = ready.get();
        nodeId = chosen.candidate().nodeId();
        if (fleet.view(nodeId).flatMap(n -> Hosts.generating(n, model)).isPresent()) {
          placed = new Placed(decision, ledger.began(chosen, characters, nanos()));
        }
      }
      if (placed != null) {
        var _ = tellOthers(model, nodeId);
        return placed;
      }
      // It was told to have something else a moment ago, and has not told what it has now.
      update(nodeId);
    }
  }

  /** Tokens that a prompt of so many characters is expected to have for a model. */
  int promptTokens(String model, int characters) {
    ModelLedger ledger = ledgers.computeIfAbsent(model, name -> new ModelLedger());
    synchronized (ledger) {
      return ledger.ask(characters, 0).promptTokens();
    }
  }

  /** Whether some node that can answer has the model. */
  boolean isLoaded(String model) {
    @Nullable ModelLedger ledger = ledgers.get(model);
    if (ledger == null) {
      return false;
    }
    synchronized (ledger) {
      return ledger.isLoadedSomewhere();
    }
  }

  /** Whether all nodes that had the model were lost within that time. */
  boolean isLostSince(String model, Duration time) {
    @Nullable ModelLedger ledger = ledgers.get(model);
    if (ledger == null) {
      return false;
    }
    synchronized (ledger) {
      return ledger.isLostSince(nanos() - time.toNanos());
    }
  }

  boolean hasAllFeaturesSomewhere(String model) {
    @Nullable ModelLedger ledger = ledgers.get(model);
    if (ledger == null) {
      return false;
    }
    synchronized (ledger) {
      return ledger.hasAllFeaturesSomewhere();
    }
  }

  void started(String model, Work work, int promptTokens, int cachedTokens) {
    ModelLedger ledger = ofWork(model);
    synchronized (ledger) {
      ledger.started(work, promptTokens, cachedTokens, nanos());
    }
  }

  void made(String model, Work work, int tokens, int bytes) {
    ModelLedger ledger = ofWork(model);
    synchronized (ledger) {
      ledger.made(work, tokens, bytes, nanos());
    }
  }

  void ended(String model, Work work) {
    ModelLedger ledger = ofWork(model);
    synchronized (ledger) {
      ledger.ended(work, nanos());
    }
    var _ = tellOthers(model, work.nodeId());
  }

  /** Notes that a node answered a request. */
  void succeeded(String model, Work work) {
    ModelLedger ledger = ofWork(model);
    synchronized (ledger) {
      ledger.succeeded(work, nanos());
    }
  }

  /**
   * As {@link ModelLedger#failed}.
   *
   * @param node that failed, as it was when it was chosen
   */
  boolean failed(String model, Candidate node, Work work, boolean died) {
    ModelLedger ledger = ofWork(model);
    synchronized (ledger) {
      boolean before = ledger.isEjected(work);
      boolean isNew = ledger.failed(work, died, nanos());
      if (!before && ledger.isEjected(work)) {
        log.warn(
            "{} failed on '{}', request after request: it is given none for a while",
            node.nodeName(),
            model);
      }
      return isNew;
    }
  }

  private ModelLedger ofWork(String model) {
    @Nullable ModelLedger ledger = ledgers.get(model);
    if (ledger == null) {
      throw new IllegalArgumentException("no ledger of " + model);
    }
    return ledger;
  }

  /** As {@link ModelLedger#refresh}. */
  void refresh() {
    for (ModelLedger ledger : ledgers.values()) {
      synchronized (ledger) {
        ledger.refresh(nanos());
      }
    }
  }

  /** What is known of a node with a model; empty if it is no candidate. */
  Optional<Candidate> candidate(String nodeId, String model) {
    @Nullable ModelLedger ledger = ledgers.get(model);
    if (ledger == null) {
      return Optional.empty();
    }
    synchronized (ledger) {
      return ledger.candidate(nodeId);
    }
  }

  /** Requests that a node has now for a model. */
  int active(String nodeId, String model) {
    @Nullable ModelLedger ledger = ledgers.get(model);
    if (ledger == null) {
      return 0;
    }
    synchronized (ledger) {
      return ledger.active(nodeId);
    }
  }

  private long nanos() {
    return Dispatcher.nanos(clock.instant());
  }
}
