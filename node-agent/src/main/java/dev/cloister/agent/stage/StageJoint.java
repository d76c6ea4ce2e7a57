package dev.cloister.agent.stage;

import dev.cloister.agent.engine.EngineClient;
import dev.cloister.identity.ticket.Neighbour;
import dev.cloister.identity.ticket.PlanTicket;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One stage in one epoch of its plan: the stream of the stage before, the engine's call, and the
 * stream to the stage behind. The end of any one ends the others. Thread-safe.
 */
final class StageJoint {
  static final Status LOST = Status.UNAVAILABLE.withDescription("a stage of this model was lost");
  private static final Logger log = LoggerFactory.getLogger(StageJoint.class);

  /**
   * With the pause between two questions, silence is noticed within four seconds: the first stage
   * and the coordinator are to know of it within five, also on a machine that is busy.
   */
  private static final Duration PATIENCE = Duration.ofSeconds(3);

  private static final long PAUSE_MILLIS = 1_000;

  private final PlanTicket ticket;
  private final EngineClient engine;
  private final ClientCall<InputStream, InputStream> run;
  private final ManagedChannel channel;
  private final ClientCall<InputStream, InputStream> next;
  private final Lane toEngine;
  private final Lane toNext;
  private @Nullable Inbound previous;
  private @Nullable Future<?> watch;
  private boolean ended;

  /**
   * @param engine that has the stage
   * @param channel to the stage behind, or to the coordinator between; closed with the joint
   */
  StageJoint(PlanTicket ticket, EngineClient engine, ManagedChannel channel) {
    this.ticket = ticket;
    this.engine = engine;
    this.run = engine.run();
    this.channel = channel;
    boolean relayed = ticket.next().relayed();
    this.next =
        channel.newCall(relayed ? RelayedStream.SEND : StageStream.METHOD, CallOptions.DEFAULT);
    this.toEngine = new Lane(new CallSink(this.run));
    this.toNext = new Lane(relayed ? new PieceSink(this.next) : new CallSink(this.next));
  }

  PlanTicket ticket() {
    return ticket;
  }

  /**
   * Starts the two calls this side makes, and watches over the engine.
   *
   * @param timer asks the engine for signs of life; its thread is not blocked
   * @param signedTicket shown to the stage behind
   */
  void open(ScheduledExecutorService timer, byte[] signedTicket) {
    Metadata headers = new Metadata();
    headers.put(StageStream.TICKET, signedTicket);
    synchronized (this) {
      if (!ended) {
        run.start(new FromEngine(), new Metadata());
      }
      if (!ended) {
        next.start(new FromNext(), headers);
        // Only its end is of interest.
        next.request(1);
        watch =
            timer.scheduleWithFixedDelay(
                this::askEngine, PAUSE_MILLIS, PAUSE_MILLIS, TimeUnit.MILLISECONDS);
      }
    }
    toNext.open(run::request);
  }

  /**
   * Takes the stream of the stage before; only once this is open.
   *
   * @return whether there was none yet
   */
  boolean attach(Inbound stream) {
    synchronized (this) {
      if (ended || previous != null) {
        return false;
      }
      previous = stream;
    }
    stream.join(this);
    toEngine.open(stream::request);
    return true;
  }

  void fromPrevious(InputStream frame) {
    toEngine.pass(frame);
  }

  /**
   * @param how for people: {@code ended}
   */
  void previousEnded(String how) {
    lost("the stream of node " + named(ticket.previous()) + " " + how, LOST);
  }

  private static String named(Neighbour neighbour) {
    return neighbour.nodeId() + (neighbour.relayed() ? " through the coordinator" : "");
  }

  private void askEngine() {
    var _ = engine.isAlive(PATIENCE).thenAccept(this::engineAnswered);
  }

  /** An engine that hangs would keep its ring from closing again: it is given up, and restarted. */
  private void engineAnswered(boolean alive) {
    if (alive) {
      return;
    }
    lost("the engine gave no sign of life for " + PATIENCE.toSeconds() + " s", LOST);
    engine.close();
  }

  /** Ends everything, because that is wanted here. */
  void end() {
    var _ = end(LOST);
  }

  private void lost(String reason, Status toPrevious) {
    if (end(toPrevious)) {
      log.warn(
          "plan {} epoch {} stage {}: {}", ticket.plan(), ticket.epoch(), ticket.stage(), reason);
    }
  }

  /**
   * @return whether it had not ended yet
   */
  private boolean end(Status toPrevious) {
    @Nullable Inbound inbound;
    synchronized (this) {
      if (ended) {
        return false;
      }
      ended = true;
      inbound = previous;
      if (watch != null) {
        watch.cancel(false);
      }
    }
    toEngine.end();
    toNext.end();
    run.cancel("the stage is no longer connected", null);
    next.cancel("the stage is no longer connected", null);
    channel.shutdownNow();
    if (inbound != null) {
      inbound.close(toPrevious);
    }
    return true;
  }

  /** What the engine sends is for the stage behind. */
  private final class FromEngine extends ClientCall.Listener<InputStream> {
    @Override
    public void onReady() {
      toEngine.ready();
    }

    @Override
    public void onMessage(InputStream frame) {
      toNext.pass(frame);
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      if (status.getCode() == Status.Code.INVALID_ARGUMENT) {
        String refusal = String.valueOf(status.getDescription());
        lost(
            "the engine refused a frame from node " + ticket.previous().nodeId() + ": " + refusal,
            Status.INVALID_ARGUMENT.withDescription(refusal));
      } else {
        lost("the engine ended its part with " + describe(status), LOST);
      }
    }
  }

  private final class FromNext extends ClientCall.Listener<InputStream> {
    @Override
    public void onReady() {
      toNext.ready();
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      lost("the stream to node " + named(ticket.next()) + " ended with " + describe(status), LOST);
    }
  }

  static String describe(Status status) {
    @Nullable Throwable cause = status.getCause();
    while (cause != null && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return status.getCode()
        + (status.getDescription() == null ? "" : ": " + status.getDescription())
        + (cause == null ? "" : " (" + cause.getMessage() + ")");
  }

  /** The sending side of a call that goes to the coordinator. */
  private record PieceSink(ClientCall<InputStream, InputStream> call) implements Lane.Sink {
    @Override
    public boolean isReady() {
      return call.isReady();
    }

    @Override
    public void send(InputStream frame) {
      FramePieces.cut(frame, call::sendMessage);
    }
  }

  /** The sending side of a call. */
  private record CallSink(ClientCall<InputStream, InputStream> call) implements Lane.Sink {
    @Override
    public boolean isReady() {
      return call.isReady();
    }

    @Override
    public void send(InputStream frame) {
      call.sendMessage(frame);
    }
  }
}
