package dev.cloister.coordinator.routing;

import dev.cloister.coordinator.fleet.NodeSession;
import dev.cloister.coordinator.inference.Generation;
import dev.cloister.coordinator.inference.GenerationEvent;
import dev.cloister.coordinator.inference.GenerationEvent.Failed;
import dev.cloister.coordinator.inference.GenerationEvent.FailureCode;
import dev.cloister.coordinator.inference.GenerationEvent.Finished;
import dev.cloister.coordinator.inference.GenerationEvent.Started;
import dev.cloister.coordinator.inference.GenerationEvent.TextDelta;
import dev.cloister.coordinator.inference.GenerationSink;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One request from its submission to its last event.
 *
 * <p>As long as the caller has seen no text, the loss of the node is not the caller's business: the
 * request starts again on another node. Thread-safe.
 */
public final class ActiveRequest {
  /** Lost nodes after which a request is given up: it may be what brings them down. */
  private static final int MOST_FAILURES = 3;

  private final Dispatcher dispatcher;
  private final String id;
  private final String model;
  private final Generation generation;
  private final GenerationSink sink;
  private final int expectedTokens;
  private final Instant deadline;

  private final Object lock = new Object();
  private final Set<String> failedNodes = new HashSet<>();
  private @Nullable Attempt attempt;
  private int failures;
  private boolean callerSawStart;
  private boolean callerSawText;
  private boolean over;

  /** What is under way on one node. */
  private final class Attempt implements GenerationSink {
    final Candidate node;
    final NodeSession session;
    private @Nullable Instant startedAt;

    Attempt(Candidate node, NodeSession session) {
      this.node = node;
      this.session = session;
    }

    @Override
    public void accept(GenerationEvent event) {
      ActiveRequest.this.accept(this, event);
    }

    NodeLedger.Key key() {
      return new NodeLedger.Key(node.nodeId(), model);
    }
  }

  ActiveRequest(
      Dispatcher dispatcher, String id, String model, Generation generation, GenerationSink sink) {
    this.dispatcher = dispatcher;
    this.id = id;
    this.model = model;
    this.generation = generation;
    this.sink = sink;
    this.expectedTokens = dispatcher.expectedTokens(generation);
    this.deadline = dispatcher.deadline();
  }

  /** Names the request in logs and towards the caller. */
  public String id() {
    return id;
  }

  /** Stops the work; the sink gets nothing more. Does nothing once the request is over. */
  public void cancel() {
    @Nullable Attempt stopped;
    synchronized (lock) {
      if (over) {
        return;
      }
      over = true;
      stopped = endAttempt();
    }
    dispatcher.forget(this);
    if (stopped != null) {
      stopped.session.cancel(id);
    }
  }

  /** Ends the request before it went anywhere. */
  void fail(FailureCode code, String message) {
    synchronized (lock) {
      over = true;
    }
    sink.accept(new Failed(code, message));
  }

  /** Starts the request on the best node, or has it wait for one. */
  void route() {
    @Nullable Attempt next = null;
    @Nullable Failed nowhere = null;
    synchronized (lock) {
      if (over) {
        return;
      }
      Decision decision = dispatcher.decide(model, expectedTokens, failedNodes);
      Optional<Candidate> choice = decision.choice();
      Optional<NodeSession> session =
          choice.flatMap(candidate -> dispatcher.session(candidate.nodeId()));
      if (choice.isPresent() && session.isPresent()) {
        next = new Attempt(choice.get(), session.get());
        attempt = next;
        dispatcher.ledger().began(next.key(), expectedTokens);
        dispatcher.logDecision(id, model, next.node, decision);
      } else if (waitFor(decision)) {
        return;
      } else {
        over = true;
        nowhere = dispatcher.noCapacity(model, decision);
      }
    }
    // Both call into code that may call back.
    if (next != null) {
      next.session.start(id, model, generation, next);
    } else if (nowhere != null) {
      sink.accept(nowhere);
    }
  }

  /** A node that failed may be tried again after something changed there: its engine restarts. */
  private boolean waitFor(Decision decision) {
    failedNodes.clear();
    return failures < MOST_FAILURES
        && dispatcher.clock().instant().isBefore(deadline)
        && dispatcher.await(this, model, decision);
  }

  private void accept(Attempt from, GenerationEvent event) {
    boolean reroute = false;
    synchronized (lock) {
      if (over || attempt != from) {
        return;
      }
      switch (event) {
        case Started started -> {
          from.startedAt = dispatcher.clock().instant();
          if (callerSawStart) {
            return;
          }
          callerSawStart = true;
        }
        case TextDelta text -> callerSawText = true;
        case Finished finished -> {
          over = true;
          endAttempt();
          measure(from, finished);
        }
        case Failed failed -> {
          endAttempt();
          failedNodes.add(from.node.nodeId());
          failures++;
          reroute =
              failed.code() == FailureCode.NODE_LOST && !callerSawText && failures < MOST_FAILURES;
          over = !reroute;
        }
      }
    }
    if (reroute) {
      route();
    } else {
      sink.accept(event);
    }
  }

  private @Nullable Attempt endAttempt() {
    @Nullable Attempt ended = attempt;
    attempt = null;
    if (ended != null) {
      dispatcher.ledger().ended(ended.key(), expectedTokens);
    }
    return ended;
  }

  private void measure(Attempt finishedAttempt, Finished finished) {
    if (finishedAttempt.startedAt != null) {
      dispatcher
          .ledger()
          .measured(
              finishedAttempt.key(),
              finished.usage().completionTokens(),
              Duration.between(finishedAttempt.startedAt, dispatcher.clock().instant()));
    }
  }
}
