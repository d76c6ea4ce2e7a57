package dev.cloister.coordinator.routing;

import dev.cloister.coordinator.fleet.NodeSession;
import dev.cloister.coordinator.inference.GenerationEvent;
import dev.cloister.coordinator.inference.GenerationEvent.Failed;
import dev.cloister.coordinator.inference.GenerationEvent.FailureCode;
import dev.cloister.coordinator.inference.GenerationEvent.Finished;
import dev.cloister.coordinator.inference.GenerationEvent.ReasoningDelta;
import dev.cloister.coordinator.inference.GenerationEvent.Started;
import dev.cloister.coordinator.inference.GenerationEvent.TextDelta;
import dev.cloister.coordinator.inference.GenerationEvent.ToolCallDelta;
import dev.cloister.coordinator.inference.GenerationRequest;
import dev.cloister.coordinator.inference.GenerationSink;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One request from its submission to its last event.
 *
 * <p>As long as the caller has seen no piece of the answer, the loss of the node is not the
 * caller's business: the request starts again on another node. Thread-safe.
 */
public final class ActiveRequest {
  private static final Logger log = LoggerFactory.getLogger(ActiveRequest.class);

  /** Lost nodes after which a request is given up: it may be what brings them down. */
  private static final int MOST_FAILURES = 3;

  private final Dispatcher dispatcher;
  private final GenerationRequest request;
  private final GenerationSink sink;
  private final int expectedTokens;
  private final Instant deadline;

  private final Object lock = new Object();
  private final Set<String> failedNodes = new HashSet<>();
  private @Nullable Attempt attempt;
  private int failures;
  private boolean callerSawStart;
  private boolean callerSawPiece;
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
      return new NodeLedger.Key(node.nodeId(), request.model());
    }
  }

  ActiveRequest(Dispatcher dispatcher, GenerationRequest request, GenerationSink sink) {
    this.dispatcher = dispatcher;
    this.request = request;
    this.sink = sink;
    this.expectedTokens = dispatcher.expectedTokens(request.generation());
    this.deadline = dispatcher.deadline();
  }

  /** Names the request in logs and towards the caller. */
  public String id() {
    return request.id();
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
      stopped.session.cancel(request.id());
    }
  }

  /** Ends the request before it went anywhere. */
  void fail(FailureCode code, String message) {
    synchronized (lock) {
      over = true;
      deliver(new Failed(code, message));
    }
  }

  /** Starts the request on the best node, or has it wait for one. */
  void route() {
    Attempt next;
    synchronized (lock) {
      if (over) {
        return;
      }
      Decision decision = dispatcher.decide(request, expectedTokens, failedNodes);
      Optional<Candidate> choice = decision.choice();
      Optional<NodeSession> session =
          choice.flatMap(candidate -> dispatcher.session(candidate.nodeId()));
      if (choice.isPresent() && session.isEmpty()) {
        // Lost since the decision: the timer routes the request again.
        dispatcher.await(this);
        return;
      }
      if (choice.isEmpty()) {
        if (!waitFor(decision)) {
          over = true;
          deliver(dispatcher.noCapacity(request.model(), decision));
        }
        return;
      }
      next = new Attempt(choice.get(), session.orElseThrow());
      attempt = next;
      dispatcher.ledger().began(next.key(), expectedTokens);
      dispatcher.logDecision(request.id(), request.model(), next.node, decision);
    }
    // Outside the lock: it writes to the node's stream, and may call back at once.
    next.session.start(request, next);
    if (isOver()) {
      // A cancellation that came in between found nothing to cancel on the node.
      next.session.cancel(request.id());
    }
  }

  private boolean isOver() {
    synchronized (lock) {
      return over;
    }
  }

  /** A node that failed may be tried again after something changed there: its engine restarts. */
  private boolean waitFor(Decision decision) {
    failedNodes.clear();
    return failures < MOST_FAILURES
        && dispatcher.clock().instant().isBefore(deadline)
        && dispatcher.await(this, request.model(), decision);
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
        case TextDelta _, ReasoningDelta _, ToolCallDelta _ -> callerSawPiece = true;
        case Finished finished -> {
          over = true;
          endAttempt();
          measure(from, finished);
        }
        case Failed failed -> {
          endAttempt();
          failedNodes.add(from.node.nodeId());
          failures++;
          boolean mayMove = failed.code() == FailureCode.NODE_LOST && failures < MOST_FAILURES;
          if (mayMove && sink.startOver()) {
            callerSawStart = false;
            callerSawPiece = false;
          }
          reroute = mayMove && !callerSawPiece;
          over = !reroute;
        }
      }
      if (!reroute) {
        deliver(event);
      }
    }
    if (reroute) {
      route();
    }
  }

  /**
   * Hands an event to the caller. Under the lock, since events of a lost node and of the one that
   * takes over come from different threads, and a sink must never see two at once.
   */
  private void deliver(GenerationEvent event) {
    try {
      sink.accept(event);
    } catch (RuntimeException e) {
      // It would break the node's stream, and with it every other request there.
      log.error("request {}: its answer cannot be delivered", request.id(), e);
      cancel();
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
