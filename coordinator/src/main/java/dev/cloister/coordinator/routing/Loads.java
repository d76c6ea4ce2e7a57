package dev.cloister.coordinator.routing;

import dev.cloister.coordinator.inference.GenerationEvent;
import dev.cloister.coordinator.inference.GenerationSink;
import dev.cloister.coordinator.routing.choice.Decision;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What it means for requests that models are loaded, and unloaded. Thread-safe. */
final class Loads {
  private static final Logger log = LoggerFactory.getLogger(Loads.class);

  private static final Duration BETWEEN_WORDS = Duration.ofSeconds(3);

  /** So many times longer than predicted a load may take before requests are refused. */
  private static final double PATIENCE = 3;

  /** Large models come from slow disks. */
  private static final Duration LONGEST = Duration.ofMinutes(10);

  private final Outlook outlook;
  private final CandidateBook candidates;

  Loads(Outlook outlook, CandidateBook candidates) {
    this.outlook = outlook;
    this.candidates = candidates;
  }

  /** How much longer requests wait for a model than for a node that has it. */
  Duration patience(String model) {
    if (candidates.isLoaded(model)) {
      return Duration.ZERO;
    }
    double seconds =
        outlook.loadSeconds().getOrDefault(model, Map.of()).values().stream()
            .min(Double::compare)
            .orElse(0.0);
    return Duration.ofMillis(Math.min((long) (PATIENCE * seconds * 1_000), LONGEST.toMillis()));
  }

  /** Why a request for a model waits for a node. */
  String busy(String model) {
    return candidates.isLoaded(model)
        ? "every node that serves '" + model + "' has a full queue"
        : "the model '" + model + "' is being loaded";
  }

  /** Has callers told what their requests wait for, so that they, and all between, stay patient. */
  void tell(WaitingRooms rooms, Set<ActiveRequest> others) {
    Map<String, String> awaited = outlook.awaited();
    for (String model : awaited.keySet()) {
      rooms.requests(model).forEach(request -> request.waitsFor(awaited));
    }
    others.forEach(request -> request.waitsFor(awaited));
  }

  /** Whether a node may begin with a request for a model; notes that it does. */
  boolean begins(String model, String nodeId) {
    return outlook.begins(model, nodeId);
  }

  /** Notes that a request that began has ended. */
  void ended(String model, String nodeId) {
    outlook.ended(model, nodeId);
  }

  /** Has a model loaded where a decision says that this is worth it. */
  void consider(String model, Decision decision, double queuedSeconds) {
    decision.toLoad(queuedSeconds).ifPresent(node -> outlook.wanted(model, node.nodeId()));
  }

  /** Has a caller told what its request waits for no more often than makes sense. */
  GenerationSink patient(GenerationSink caller, InstantSource clock) {
    return new GenerationSink() {
      private Instant next = Instant.EPOCH;

      @Override
      public void accept(GenerationEvent event) {
        caller.accept(event);
      }

      @Override
      public void waits(String what) {
        Instant now = clock.instant();
        if (now.isBefore(next)) {
          return;
        }
        next = now.plus(BETWEEN_WORDS);
        try {
          caller.waits(what);
        } catch (RuntimeException e) {
          // Others wait to be told as well; this one hears of it with its answer.
          log.warn("a caller cannot be told what it waits for", e);
        }
      }

      @Override
      public boolean startOver() {
        return caller.startOver();
      }
    };
  }
}
