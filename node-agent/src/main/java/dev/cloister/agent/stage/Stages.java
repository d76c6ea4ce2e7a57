package dev.cloister.agent.stage;

import dev.cloister.agent.engine.EngineClient;
import dev.cloister.agent.engine.IoThread;
import dev.cloister.identity.IdentitySource;
import dev.cloister.identity.SpiffeId;
import dev.cloister.identity.ticket.InvalidTicketException;
import dev.cloister.identity.ticket.PlanTicket;
import dev.cloister.identity.ticket.TicketVerifier;
import io.grpc.Status;
import io.netty.channel.EventLoopGroup;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The stages on this machine that are connected, one a model, and the streams that other agents
 * open to them. Thread-safe.
 */
public final class Stages implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Stages.class);

  /** The stage before may have its ticket a moment earlier than this one. */
  private static final Duration LONGEST_WAIT = Duration.ofSeconds(10);

  private final IdentitySource own;
  private final TicketVerifier verifier;
  private final PeerDialer dialer;
  private final EventLoopGroup loops;
  private final Duration longestWait;

  /** One stage is connected at a time. */
  private final Object connecting = new Object();

  private final Map<String, StageJoint> joints = new HashMap<>();
  private final Map<Epoch, Waiting> waiting = new HashMap<>();

  /**
   * @param coordinator {@code host:port}; for streams that go through it
   * @param thread carries the streams
   */
  public Stages(IdentitySource own, TicketVerifier verifier, String coordinator, IoThread thread) {
    this(own, verifier, coordinator, thread, LONGEST_WAIT);
  }

  Stages(
      IdentitySource own,
      TicketVerifier verifier,
      String coordinator,
      IoThread thread,
      Duration longestWait) {
    this.loops = thread.group();
    this.own = own;
    this.verifier = verifier;
    this.dialer = new PeerDialer(own, loops, coordinator);
    this.longestWait = longestWait;
  }

  /** Which connection of which plan. */
  private record Epoch(String plan, long number) {
    static Epoch of(PlanTicket ticket) {
      return new Epoch(ticket.plan(), ticket.epoch());
    }
  }

  /** Who has opened a stream. */
  private record Caller(X509Certificate certificate, InboundStream stream) {}

  /** A caller with a good ticket, before this machine has its own. */
  private record Waiting(PlanTicket ticket, Caller caller, Future<?> end) {}

  /**
   * Connects a stage with its neighbours. A higher epoch or another plan replaces the streams of
   * the model, the same epoch again changes nothing.
   *
   * @param signedTicket of this machine's stage
   * @param engines the engine of the stage that a ticket is for, if it is loaded
   * @throws InvalidTicketException if the ticket is not good for that
   */
  public void connect(
      String model, byte[] signedTicket, Function<PlanTicket, Optional<EngineClient>> engines) {
    PlanTicket ticket = verifier.verify(signedTicket);
    require(
        ticket.holder().nodeId().equals(ownId()),
        "the ticket is node " + ticket.holder().nodeId() + "'s");
    EngineClient engine =
        engines
            .apply(ticket)
            .orElseThrow(
                () ->
                    new InvalidTicketException(
                        "the ticket is for a stage that is not loaded here: layers %d to %d of '%s'"
                            .formatted(ticket.firstLayer(), ticket.endLayer(), model)));
    synchronized (connecting) {
      @Nullable StageJoint old = joint(model);
      if (old != null
          && old.ticket().plan().equals(ticket.plan())
          && old.ticket().epoch() >= ticket.epoch()) {
        log.debug("model {}: epoch {} is connected already", model, old.ticket().epoch());
        return;
      }
      StageJoint joint = new StageJoint(ticket, engine, dialer.dialNext(ticket));
      if (old != null) {
        old.end();
      }
      log.info(
          "model {}: plan {} epoch {}: stage {} is connected between nodes {} and {}",
          model,
          ticket.plan(),
          ticket.epoch(),
          ticket.stage(),
          ticket.previous().nodeId(),
          ticket.next().nodeId());
      joint.open(loops, signedTicket);
      if (ticket.previous().relayed()) {
        Inbound stream = RelayedStream.open(dialer.dialCoordinator(), signedTicket);
        if (!joint.attach(stream)) {
          stream.close(StageJoint.LOST);
        }
      }
      publish(model, joint);
    }
  }

  private synchronized @Nullable StageJoint joint(String model) {
    return joints.get(model);
  }

  /** Lets streams come to an open joint, beginning with the one that waits for it. */
  private void publish(String model, StageJoint joint) {
    @Nullable Waiting early;
    synchronized (this) {
      joints.put(model, joint);
      early = waiting.remove(Epoch.of(joint.ticket()));
    }
    if (early != null) {
      early.end().cancel(false);
      try {
        attach(joint, early.ticket(), early.caller());
      } catch (InvalidTicketException e) {
        refuse(early.caller(), e);
      }
    }
  }

  /** Ends the streams of a model, if it has any. */
  public void disconnect(String model) {
    @Nullable StageJoint joint;
    synchronized (this) {
      joint = joints.remove(model);
    }
    if (joint != null) {
      joint.end();
    }
  }

  /**
   * Decides about a stream that another agent has opened; the caller learns a refusal, in one
   * sentence.
   *
   * @param signedTicket of the caller
   * @param certificate that it has shown
   */
  void admit(byte[] signedTicket, X509Certificate certificate, InboundStream stream) {
    Caller caller = new Caller(certificate, stream);
    try {
      PlanTicket ticket = verifier.verify(signedTicket);
      require(
          ticket.holder().isShownBy(certificate),
          "the ticket is node " + ticket.holder().nodeId() + "'s, with another key");
      require(
          ticket.next().nodeId().equals(ownId()),
          "the stage behind is on node " + ticket.next().nodeId() + ", not on this one");
      @Nullable StageJoint joint = jointOrWait(ticket, caller);
      if (joint != null) {
        attach(joint, ticket, caller);
      }
    } catch (InvalidTicketException e) {
      refuse(caller, e);
    }
  }

  private synchronized @Nullable StageJoint jointOrWait(PlanTicket ticket, Caller caller) {
    for (StageJoint joint : joints.values()) {
      if (joint.ticket().plan().equals(ticket.plan()) && joint.ticket().epoch() >= ticket.epoch()) {
        return joint;
      }
    }
    Epoch epoch = Epoch.of(ticket);
    require(!waiting.containsKey(epoch), secondStream(ticket));
    Future<?> end =
        loops.schedule(() -> giveUp(epoch), longestWait.toMillis(), TimeUnit.MILLISECONDS);
    waiting.put(epoch, new Waiting(ticket, caller, end));
    return null;
  }

  private void giveUp(Epoch epoch) {
    @Nullable Waiting late;
    synchronized (this) {
      late = waiting.remove(epoch);
    }
    if (late != null) {
      refuse(
          late.caller(),
          new InvalidTicketException(
              "this node has no ticket of epoch %d of plan %s"
                  .formatted(epoch.number(), epoch.plan())));
    }
  }

  private static void attach(StageJoint joint, PlanTicket theirs, Caller caller) {
    PlanTicket mine = joint.ticket();
    require(
        theirs.epoch() == mine.epoch(),
        "the ticket is of epoch %d of plan %s, which is in epoch %d"
            .formatted(theirs.epoch(), theirs.plan(), mine.epoch()));
    require(
        theirs.stages() == mine.stages()
            && (theirs.stage() + 1) % mine.stages() == mine.stage()
            && theirs.modelSha256().equals(mine.modelSha256())
            && mine.previous().isShownBy(caller.certificate()),
        "stage %d of plan %s is not the one before stage %d"
            .formatted(theirs.stage(), theirs.plan(), mine.stage()));
    require(joint.attach(caller.stream()), secondStream(theirs));
  }

  private static String secondStream(PlanTicket ticket) {
    return "epoch %d of plan %s has had its stream from stage %d"
        .formatted(ticket.epoch(), ticket.plan(), ticket.stage());
  }

  private static void refuse(Caller caller, InvalidTicketException reason) {
    log.warn(
        "a stream of {} was refused: {}", SpiffeId.of(caller.certificate()), reason.getMessage());
    caller.stream()
        .close(Status.PERMISSION_DENIED.withDescription(String.valueOf(reason.getMessage())));
  }

  private static void require(boolean condition, String refusal) {
    if (!condition) {
      throw new InvalidTicketException(refusal);
    }
  }

  private String ownId() {
    return own.current().id().memberId();
  }

  /** What carries the streams of other agents. */
  EventLoopGroup loops() {
    return loops;
  }

  /** Ends all streams. To be called when nobody listens for new ones any more. */
  @Override
  public void close() {
    List<StageJoint> open;
    synchronized (this) {
      open = List.copyOf(joints.values());
      joints.clear();
    }
    open.forEach(StageJoint::end);
  }
}
