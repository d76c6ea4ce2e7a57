package dev.cloister.coordinator.routing;

import dev.cloister.coordinator.catalog.Catalog;
import dev.cloister.coordinator.fleet.Fleet;
import dev.cloister.coordinator.fleet.NodeSession;
import dev.cloister.coordinator.fleet.NodeView;
import dev.cloister.coordinator.fleet.Replica;
import dev.cloister.coordinator.inference.Generation;
import dev.cloister.coordinator.inference.GenerationEvent.Failed;
import dev.cloister.coordinator.inference.GenerationEvent.FailureCode;
import dev.cloister.coordinator.inference.GenerationSink;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends each request to the node the {@link Router} chooses. Thread-safe; nothing here blocks or
 * waits: a request that no node can take now fails at once with {@code NO_CAPACITY}.
 */
public final class Dispatcher {
  private static final Logger log = LoggerFactory.getLogger(Dispatcher.class);

  /** What an answer is assumed to need when the request sets no limit, and at most. */
  private static final int EXPECTED_TOKENS = 128;

  private final Catalog catalog;
  private final Fleet fleet;
  private final InstantSource clock;
  private final NodeLedger ledger = new NodeLedger();

  public Dispatcher(Catalog catalog, Fleet fleet, InstantSource clock) {
    this.catalog = catalog;
    this.fleet = fleet;
    this.clock = clock;
  }

  /**
   * Starts a request.
   *
   * @param requestId unique in the cluster
   * @param sink gets exactly one last event, unless the request is cancelled
   */
  public ActiveRequest submit(
      String requestId, String model, Generation generation, GenerationSink sink) {
    ActiveRequest request = new ActiveRequest(this, requestId, model, generation, sink);
    if (catalog.find(model).isEmpty()) {
      request.fail(
          FailureCode.MODEL_NOT_FOUND,
          "the model '" + model + "' does not exist; list the models with: cloister model list");
    } else {
      request.route();
    }
    return request;
  }

  int expectedTokens(Generation generation) {
    return generation.maxTokens() == 0
        ? EXPECTED_TOKENS
        : Math.min(EXPECTED_TOKENS, generation.maxTokens());
  }

  Decision decide(String model, int expectedTokens, Set<String> excludedNodes) {
    List<Candidate> candidates = new ArrayList<>();
    for (NodeView view : fleet.nodes()) {
      Optional<Replica.Ready> ready = view.ready(model);
      if (ready.isPresent() && !excludedNodes.contains(view.node().id())) {
        NodeLedger.Entry known = ledger.of(new NodeLedger.Key(view.node().id(), model));
        candidates.add(
            new Candidate(
                view.node().id(),
                view.node().name(),
                ready.get().slots(),
                known.active(),
                known.pendingTokens(),
                known.tokensPerSecond(),
                known.served()));
      }
    }
    return Router.choose(candidates, expectedTokens);
  }

  /** Why nothing can take a request for this model, in one sentence. */
  Failed noCapacity(String model, Decision decision) {
    if (!decision.predictions().isEmpty()) {
      return new Failed(
          FailureCode.NO_CAPACITY,
          "every node that serves '" + model + "' has a full queue; try again in a few seconds");
    }
    long preparing =
        fleet.nodes().stream()
            .flatMap(view -> view.replicas().stream())
            .filter(replica -> replica.model().equals(model))
            .filter(
                replica ->
                    replica instanceof Replica.Fetching || replica instanceof Replica.Loading)
            .count();
    return new Failed(
        FailureCode.NO_CAPACITY,
        preparing > 0
            ? "the model '" + model + "' is being loaded; try again in a few seconds"
            : "no node serves '" + model + "' now; see: cloister node list");
  }

  Optional<NodeSession> session(String nodeId) {
    return fleet.session(nodeId);
  }

  NodeLedger ledger() {
    return ledger;
  }

  InstantSource clock() {
    return clock;
  }

  void logDecision(String requestId, String model, Candidate choice, Decision decision) {
    log.info(
        "request {} for {} goes to {}: {}", requestId, model, choice.nodeName(), decision.reason());
  }
}
