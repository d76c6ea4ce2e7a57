package dev.cloister.agent.link;

import dev.cloister.agent.courtesy.Policy;
import dev.cloister.agent.fingerprint.Capability;
import dev.cloister.agent.fingerprint.LoadSampler;
import dev.cloister.agent.stage.LinkMeter;
import dev.cloister.agent.stage.PeerListener;
import dev.cloister.agent.stage.Stages;
import dev.cloister.agent.supervisor.ModelSpec;
import dev.cloister.agent.supervisor.ModelStatus;
import dev.cloister.agent.supervisor.Supervisor;
import dev.cloister.identity.Role;
import dev.cloister.identity.enrollment.Membership;
import dev.cloister.identity.tls.ClusterChannel;
import dev.cloister.identity.tls.ClusterTls;
import dev.cloister.proto.agent.v1.AgentMessage;
import dev.cloister.proto.agent.v1.Hello;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps a session with the coordinator open, on a thread of its own. Thread-safe. */
public final class CoordinatorLink implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(CoordinatorLink.class);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(4);

  /** What an agent that is stopped leaves to answers that no other node can go on with. */
  private static final Duration LONGEST_LEAVING = Duration.ofSeconds(5);

  /** A prompt too large for the message limit would end the session, and all others' answers. */
  private static final int MAX_MESSAGE_BYTES = 32 << 20;

  private final Membership membership;
  private final Supervisor supervisor;
  private final Stages stages;
  private final LinkMeter links;
  private final PeerListener peers;
  private final Future<Capability> capability;
  private final Policy owner;
  private final String agentVersion;
  private final LinkListener listener;
  private final LoadSampler load = new LoadSampler();
  private final Thread thread = Thread.ofVirtual().name("coordinator-link").unstarted(this::live);
  private volatile @Nullable Session session;
  private volatile Availability availability = new Availability.Open();
  private volatile boolean closing;

  /**
   * @param capability of this machine; awaited before the first connection
   * @param owner what its owner says of when it works
   */
  public CoordinatorLink(
      Membership membership,
      Supervisor supervisor,
      Stages stages,
      LinkMeter links,
      PeerListener peers,
      Future<Capability> capability,
      Policy owner,
      String agentVersion,
      LinkListener listener) {
    this.membership = membership;
    this.supervisor = supervisor;
    this.stages = stages;
    this.links = links;
    this.peers = peers;
    this.owner = owner;
    this.agentVersion = agentVersion;
    this.listener = listener;
    this.capability = capability;
  }

  public void start() {
    thread.start();
  }

  /** Tells the coordinator, if there is a session; a new session tells everything anyway. */
  public void report(ModelSpec model, ModelStatus status) {
    @Nullable Session open = session;
    if (open != null) {
      open.report(model, status);
    }
  }

  private void live() {
    Backoff backoff = new Backoff(FIRST_PAUSE, LONGEST_PAUSE, RandomGenerator.getDefault());
    try {
      while (true) {
        Status end = holdSessionOrFail(backoff);
        if (end.getCode() == Status.Code.PERMISSION_DENIED) {
          listener.refused(String.valueOf(end.getDescription()));
          return;
        }
        if (closing) {
          return;
        }
        listener.disconnected(describe(end));
        // Two agents with one identity would end each other's sessions as fast as they can.
        Thread.sleep(end.getCode() == Status.Code.ABORTED ? LONGEST_PAUSE : backoff.next());
      }
    } catch (InterruptedException e) {
      // Closed.
    }
  }

  /** A defect must not leave an agent without its link. */
  private Status holdSessionOrFail(Backoff backoff) throws InterruptedException {
    try {
      return holdSession(backoff);
    } catch (RuntimeException e) {
      log.error("the session broke", e);
      return Status.INTERNAL.withDescription(e.toString());
    }
  }

  /** Opens a session and stays until it ends. */
  private Status holdSession(Backoff backoff) throws InterruptedException {
    ManagedChannel channel =
        ClusterChannel.to(
                membership.coordinator(),
                ClusterTls.client(membership.identity(), Role.COORDINATOR))
            .keepAliveTimeout(3, TimeUnit.SECONDS)
            .maxInboundMessageSize(MAX_MESSAGE_BYTES)
            .build();
    Session opened =
        new Session(
            supervisor,
            stages,
            links,
            peers,
            load,
            welcome -> {
              backoff.reset();
              listener.connected(welcome.getNodeName());
            },
            policy -> listener.policy(Wire.fromWire(policy)));
    try {
      opened.open(channel, hello());
      session = opened;
      if (!(availability instanceof Availability.Open)) {
        opened.send(Wire.toWire(availability));
      }
      supervisor.forEach(this::report);
      return opened.awaitEnd();
    } finally {
      session = null;
      opened.close();
      channel.shutdownNow();
      var _ = channel.awaitTermination(500, TimeUnit.MILLISECONDS);
    }
  }

  /** Tells the coordinator, now and in each session to come. */
  public void tell(Availability now) {
    availability = now;
    if (closing) {
      return;
    }
    @Nullable Session open = session;
    if (open != null) {
      open.send(Wire.toWire(now));
    }
  }

  /** Has load reports tell how fast main memory is copied. */
  public void tellMemorySpeed(double bytesPerSecond) {
    load.tellMemorySpeed(bytesPerSecond);
  }

  private AgentMessage hello() throws InterruptedException {
    List<String> models = new ArrayList<>();
    supervisor.forEach(
        (model, status) -> {
          if (model.stage().isEmpty() && !(status instanceof ModelStatus.Failed)) {
            models.add(model.name());
          }
        });
    try {
      return AgentMessage.newBuilder()
          .setHello(
              Hello.newBuilder()
                  .setAgentVersion(agentVersion)
                  .setCapability(Wire.toWire(capability.get()))
                  .setPeerAddress(peers.address(membership.coordinator()))
                  .addAllModels(models)
                  .setOwner(Wire.toWire(owner)))
          .build();
    } catch (ExecutionException e) {
      throw new IllegalStateException("the machine cannot be described: " + e.getCause(), e);
    }
  }

  private String describe(Status end) {
    return switch (end.getCode()) {
      case UNAVAILABLE, CANCELLED ->
          "the coordinator at " + membership.coordinator() + " does not answer; trying again";
      default ->
          "the session ended: "
              + (end.getDescription() == null ? end.getCode().name() : end.getDescription())
              + "; trying again";
    };
  }

  /** Has other nodes go on with what runs here, says goodbye and ends. */
  @Override
  public void close() {
    closing = true;
    @Nullable Session open = session;
    if (open != null) {
      open.leave(LONGEST_LEAVING);
      open.goodbye();
    }
    thread.interrupt();
    try {
      thread.join(Duration.ofSeconds(2));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
