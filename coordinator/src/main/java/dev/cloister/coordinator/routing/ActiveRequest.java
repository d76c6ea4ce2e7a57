package dev.cloister.coordinator.routing;

import dev.cloister.coordinator.fleet.NodeSession;
import dev.cloister.coordinator.inference.GenerationEvent;
import dev.cloister.coordinator.inference.GenerationEvent.Failed;
import dev.cloister.coordinator.inference.GenerationEvent.FailureCode;
import dev.cloister.coordinator.inference.GenerationEvent.FinishReason;
import dev.cloister.coordinator.inference.GenerationEvent.Finished;
import dev.cloister.coordinator.inference.GenerationEvent.ReasoningDelta;
import dev.cloister.coordinator.inference.GenerationEvent.Started;
import dev.cloister.coordinator.inference.GenerationEvent.TextDelta;
import dev.cloister.coordinator.inference.GenerationEvent.ToolCallDelta;
import dev.cloister.coordinator.inference.GenerationRequest;
import dev.cloister.coordinator.inference.GenerationSink;
import dev.cloister.coordinator.routing.CandidateBook.Placed;
import dev.cloister.coordinator.routing.answer.AnswerSoFar;
import dev.cloister.coordinator.routing.answer.Losses;
import dev.cloister.coordinator.routing.choice.Candidate;
import dev.cloister.coordinator.routing.choice.Decision;
import dev.cloister.coordinator.routing.choice.Work;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiPredicate;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One request from its submission to its last event.
 *
 * <p>The loss of a node is not the caller's business: another node goes on where the caller's
 * stream stands, as often as that is needed. Only where the engine did not tell its tokens, which
 * another one must know, the caller hears of it once it has seen a piece of the answer.
 * Thread-safe.
 */
public final class ActiveRequest {
  private static final Logger log = LoggerFactory.getLogger(ActiveRequest.class);

  private final Dispatcher dispatcher;
  private final CandidateBook candidates;
  private final GenerationRequest request;
  private final GenerationSink sink;

  private final Object lock = new Object();
  private final Set<String> failedNodes = new HashSet<>();
  private final AnswerSoFar told = new AnswerSoFar();
  private @Nullable Attempt attempt;
  private final Losses losses;
  private boolean hadItsTurn;
  private boolean over;

  ActiveRequest(
      Dispatcher dispatcher,
      GenerationRequest request,
      Optional<Duration> timeout,
      GenerationSink sink) {
    this.dispatcher = dispatcher;
    this.candidates = dispatcher.candidates();
    this.request = request;
    this.sink = sink;
    this.losses = new Losses(timeout, now());
  }

  /** Has its caller told what it waits for, by its model, if it waits. */
  void waitsFor(Map<String, String> awaited) {
    @Nullable String what = awaited.get(request.model());
    synchronized (lock) {
      if (what != null && !over && attempt == null) {
        sink.waits(what);
      }
    }
  }

  /** Names the request in logs and towards the caller. */
  public String id() {
    return request.id();
  }

  /** Stops the work; the sink gets nothing more. Does nothing once the request is over. */
  public void cancel() {
    stop(() -> true, Optional.empty());
  }

  /** Ends it where its caller named a time for the answer to begin, and none did on its node. */
  void endIfLate() {
    stop(() -> attempt != null && !isBegun() && losses.isLate(now()), Optional.of(Losses.LATE));
  }

  private void stop(BooleanSupplier applies, Optional<Failed> failure) {
    @Nullable Attempt stopped;
    synchronized (lock) {
      if (over || !applies.getAsBoolean()) {
        return;
      }
      stopped = end(told.tokens());
      failure.ifPresent(this::deliver);
    }
    dispatcher.forget(this);
    if (stopped != null) {
      stopped.cancel();
      dispatcher.callIn(request.model());
    }
  }

  /** Ends the request while it is nowhere. */
  void fail(Failed failed) {
    synchronized (lock) {
      if (!over) {
        end(told.tokens());
        deliver(failed);
      }
    }
  }

  /** Starts the request on the best node, or has it wait for one. */
  void route() {
    route(null);
  }

  /** The same, where a place was found for it; null if none was looked for yet. */
  void route(@Nullable Placed given) {
    Attempt next;
    synchronized (lock) {
      if (over) {
        if (given != null && given.work() != null) {
          candidates.ended(request.model(), given.work());
        }
        return;
      }
      GenerationRequest rest = request.from(told.beginning());
      Placed placed = given == null ? dispatcher.place(rest, failedNodes) : given;
      Decision decision = placed.decision();
      @Nullable Work work = placed.work();
      if (work == null) {
        dispatcher.missed(rest);
        waitFor(rest, decision)
            .ifPresent(
                refusal -> {
                  end(told.tokens());
                  deliver(refusal);
                });
        return;
      }
      Candidate node = decision.ready().orElseThrow().candidate();
      Optional<NodeSession> session = dispatcher.session(node.nodeId());
      if (session.isEmpty() || !dispatcher.loads().begins(request.model(), node.nodeId())) {
        // Lost, or to be unloaded, since the decision: the timer routes the request again.
        candidates.ended(request.model(), work);
        dispatcher.await(this);
        return;
      }
      next = new Attempt(node, work, session.get(), rest);
      attempt = next;
      hadItsTurn = true;
      dispatcher.runningRequests().began(this);
      if (!dispatcher.prospects().maySee(request, node.nodeId())) {
        // It lost a label since the decision, and nobody knew yet that this request has to leave
        // it.
        endAttempt();
        dispatcher.await(this);
        return;
      }
      next.logStart(decision);
    }
    // Outside the lock: it writes to the node's stream, and may call back at once.
    next.session().start(next.rest(), (event, tokens) -> accept(next, event, tokens));
    if (isOver()) {
      // A cancellation that came in between found nothing to cancel on the node.
      next.cancel();
    }
  }

  private boolean isOver() {
    synchronized (lock) {
      return over;
    }
  }

  /** A node that failed may be tried again after something changed there: its engine restarts. */
  private Optional<Failed> waitFor(GenerationRequest rest, Decision decision) {
    failedNodes.clear();
    return !losses.areTooMany() && now().isBefore(deadline())
        ? dispatcher.await(this, rest, decision)
        : Optional.of(dispatcher.prospects().noCapacity(rest, decision));
  }

  /** Until when it waits for a node. To be asked while the request is routed. */
  Instant deadline() {
    return losses.deadline(dispatcher.loads().patience(request.model()));
  }

  /** Notes that the nodes it waited for are gone. */
  void lostAll() {
    synchronized (lock) {
      losses.lostAll(now());
    }
  }

  /** Whether some node was given it before. To be asked while the request is routed. */
  boolean hadItsTurn() {
    return hadItsTurn;
  }

  private boolean isBegun() {
    return !told.isEmpty();
  }

  /** Whether it, or everybody, lost the model's nodes just now. To be asked as above. */
  boolean lostNodesJustNow() {
    return losses.justNow(now()) || candidates.isLostSince(request.model(), Losses.GRACE);
  }

  private Instant now() {
    return dispatcher.clock().instant();
  }

  private void accept(Attempt from, GenerationEvent event, List<Integer> tokens) {
    boolean reroute = false;
    boolean ended;
    synchronized (lock) {
      if (over || !from.equals(attempt)) {
        return;
      }
      switch (event) {
        case Started started -> {
          candidates.started(
              request.model(), from.work(), started.promptTokens(), started.cachedPromptTokens());
          if (told.start(started)) {
            deliver(started);
          }
        }
        case TextDelta _, ReasoningDelta _, ToolCallDelta _ -> {
          candidates.made(request.model(), from.work(), Math.max(1, tokens.size()), event.bytes());
          told.add(tokens);
          if (!tokens.isEmpty()) {
            losses.goesOn();
          }
          deliver(event);
        }
        // Whoever asked for it is gone, and hears nothing; so nobody asked.
        case Finished(FinishReason reason, _) when reason == FinishReason.CANCELLED ->
            reroute = moves(from, Attempt.STOPPED);
        case Finished finished -> {
          candidates.succeeded(request.model(), from.work());
          end(finished.usage().completionTokens());
          dispatcher
              .lengths()
              .ended(request.tenant(), request.model(), finished.usage().completionTokens());
          deliver(told.ended(finished));
        }
        case Failed failed -> reroute = moves(from, failed);
      }
      ended = over;
    }
    if (reroute) {
      route();
    } else if (ended) {
      dispatcher.callIn(request.model());
    }
  }

  /** The node that is at it, if one is. */
  Optional<String> nodeId() {
    synchronized (lock) {
      return attempt == null ? Optional.empty() : Optional.of(attempt.nodeId());
    }
  }

  /**
   * Has another node go on, if one of these nodes is at it and another one can take it now. Where
   * the engine does not tell its tokens, the answer is left to be finished.
   */
  void leave(Set<String> nodeIds) {
    Attempt left;
    synchronized (lock) {
      if (over
          || attempt == null
          || !nodeIds.contains(attempt.nodeId())
          || !told.canGoOn()
          || !isPlaceable()) {
        return;
      }
      left = attempt;
      leave(left, "is drained");
    }
    left.cancel();
    route();
  }

  /** Has a node be left that may not see the request any more, whether or not another may. */
  void leaveUnless(BiPredicate<GenerationRequest, String> maySee) {
    Attempt left;
    synchronized (lock) {
      if (over || attempt == null || maySee.test(request, attempt.nodeId())) {
        return;
      }
      left = attempt;
      if (told.canGoOn() || startsOver()) {
        leave(left, "may not see it any more");
      } else {
        end(told.tokens());
        deliver(Attempt.STOPPED);
      }
    }
    left.cancel();
    route();
  }

  private void leave(Attempt left, String why) {
    endAttempt();
    losses.left(isBegun(), now());
    left.logEnd(why, told.tokens());
  }

  /** Whether the answer is to go on elsewhere; otherwise the caller is told that it does not. */
  private boolean moves(Attempt from, Failed failed) {
    endAttempt();
    failedNodes.add(from.nodeId());
    boolean isThere = dispatcher.isOpen(from.nodeId(), from.session());
    if (failed.code().isOfNode()) {
      losses.lost(isThere, isBegun(), now());
    }
    boolean isSick = isThere && from.blame(failed, candidates);
    boolean goesOn =
        losses.mayMove(failed.code(), isBegun(), this::isPlaceable)
            && (!isSick || dispatcher.mayRetry())
            && (told.canGoOn() || startsOver());
    if (goesOn) {
      from.logEnd(failed.code() == FailureCode.NODE_LOST ? "was lost" : "failed", told.tokens());
    } else {
      end(told.tokens());
      deliver(failed);
    }
    return goesOn;
  }

  /** Whether another node would go on with it now. */
  private boolean isPlaceable() {
    return dispatcher.isPlaceable(request.from(told.beginning()), failedNodes);
  }

  private boolean startsOver() {
    if (!sink.startOver()) {
      return false;
    }
    told.clear();
    return true;
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

  /** Nothing more happens after it but what the caller is told last. */
  private @Nullable Attempt end(int answerTokens) {
    over = true;
    dispatcher.leave(this, request.model(), told.computedPromptTokens() + answerTokens);
    return endAttempt();
  }

  private @Nullable Attempt endAttempt() {
    @Nullable Attempt ended = attempt;
    attempt = null;
    if (ended != null) {
      candidates.ended(request.model(), ended.work());
      dispatcher.runningRequests().ended(this);
      dispatcher.loads().ended(request.model(), ended.nodeId());
    }
    return ended;
  }
}
