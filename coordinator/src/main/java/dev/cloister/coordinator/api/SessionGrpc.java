package dev.cloister.coordinator.api;

import dev.cloister.coordinator.api.wire.WireFleet;
import dev.cloister.coordinator.api.wire.WirePolicy;
import dev.cloister.coordinator.courtesy.CourtesyPolicy;
import dev.cloister.coordinator.courtesy.Policies;
import dev.cloister.coordinator.deployment.Deployments;
import dev.cloister.coordinator.fleet.Capability;
import dev.cloister.coordinator.fleet.Fleet;
import dev.cloister.coordinator.fleet.Node;
import dev.cloister.coordinator.fleet.NodeState;
import dev.cloister.coordinator.links.Finding;
import dev.cloister.coordinator.links.Survey;
import dev.cloister.coordinator.routing.Dispatcher;
import dev.cloister.identity.ticket.KeyHash;
import dev.cloister.identity.ticket.TicketSigner;
import dev.cloister.proto.agent.v1.AgentMessage;
import dev.cloister.proto.agent.v1.AgentSessionServiceGrpc.AgentSessionServiceImplBase;
import dev.cloister.proto.agent.v1.CoordinatorMessage;
import dev.cloister.proto.agent.v1.Echo;
import dev.cloister.proto.agent.v1.HeldPrefixes;
import dev.cloister.proto.agent.v1.Hello;
import dev.cloister.proto.agent.v1.LinkReport;
import dev.cloister.proto.agent.v1.LoadReport;
import dev.cloister.proto.agent.v1.ModelLoad;
import dev.cloister.proto.agent.v1.Welcome;
import dev.cloister.proto.inference.v1.PrefixNews;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The agents' sessions. */
final class SessionGrpc extends AgentSessionServiceImplBase {
  private static final Logger log = LoggerFactory.getLogger(SessionGrpc.class);

  /** Asking for messages one by one wakes the thread of the connection for each. */
  private static final int MESSAGES_AHEAD = 8;

  private final Fleet fleet;
  private final Survey survey;
  private final Deployments deployments;
  private final Dispatcher dispatcher;
  private final Duration reportInterval;
  private final TicketSigner signer;
  private final Policies policies;
  private final InstantSource clock;

  SessionGrpc(
      Fleet fleet,
      Survey survey,
      Deployments deployments,
      Dispatcher dispatcher,
      Duration reportInterval,
      TicketSigner signer,
      Policies policies,
      InstantSource clock) {
    this.policies = policies;
    this.clock = clock;
    this.fleet = fleet;
    this.survey = survey;
    this.deployments = deployments;
    this.dispatcher = dispatcher;
    this.reportInterval = reportInterval;
    this.signer = signer;
  }

  @Override
  public StreamObserver<AgentMessage> open(StreamObserver<CoordinatorMessage> reply) {
    String nodeId = AccessInterceptor.caller().memberId();
    Node node =
        fleet
            .find(nodeId)
            .orElseThrow(
                () ->
                    Status.PERMISSION_DENIED
                        .withDescription(
                            "this node was removed from the cluster; join it again with a new"
                                + " token")
                        .asRuntimeException());
    ServerCallStreamObserver<CoordinatorMessage> outgoing =
        (ServerCallStreamObserver<CoordinatorMessage>) reply;
    outgoing.disableAutoRequest();
    outgoing.request(MESSAGES_AHEAD);
    return new Incoming(
        node,
        KeyHash.of(AccessInterceptor.certificate()),
        outgoing,
        new GrpcNodeSession(node, outgoing, signer));
  }

  /** gRPC calls it from one thread at a time. */
  private final class Incoming implements StreamObserver<AgentMessage> {
    private final Node node;
    private final KeyHash key;
    private final ServerCallStreamObserver<CoordinatorMessage> call;
    private final GrpcNodeSession session;
    private final Consumer<CourtesyPolicy> policy = this::tell;
    private @Nullable Capability capability;
    private int ahead = MESSAGES_AHEAD;
    private boolean attached;
    private boolean over;

    Incoming(
        Node node,
        KeyHash key,
        ServerCallStreamObserver<CoordinatorMessage> call,
        GrpcNodeSession session) {
      this.node = node;
      this.key = key;
      this.call = call;
      this.session = session;
    }

    @Override
    public void onNext(AgentMessage message) {
      ahead--;
      if (ahead == MESSAGES_AHEAD / 2) {
        call.request(MESSAGES_AHEAD - ahead);
        ahead = MESSAGES_AHEAD;
      }
      if (over) {
        return;
      }
      try {
        take(message);
      } catch (IllegalArgumentException e) {
        refuse(String.valueOf(e.getMessage()));
      }
    }

    private void take(AgentMessage message) {
      if (!attached) {
        attach(message);
        return;
      }
      switch (message.getMessageCase()) {
        case LOAD -> report(message.getLoad());
        case ECHO -> dispatcher.roundTrips().received(node.id(), message.getEcho().getNumber());
        case PREFIXES -> prefixes(message.getPrefixes());
        case MODEL ->
            WireFleet.fromWire(message.getModel())
                .ifPresent(replica -> fleet.replica(node.id(), session, replica));
        case AVAILABILITY ->
            fleet.pause(
                node.id(), session, WireFleet.fromWire(message.getAvailability(), clock.instant()));
        case GENERATION -> session.deliver(message.getGeneration());
        case LINK -> take(message.getLink());
        case HELLO -> log.warn("node {} said hello twice", node.name());
        case MESSAGE_NOT_SET -> log.debug("node {} sent a message of a newer version", node.name());
      }
    }

    private void report(LoadReport load) {
      fleet.report(node.id(), session, WireFleet.fromWire(load));
      for (ModelLoad model : load.getModelsList()) {
        if (model.getResidentBytes() > 0) {
          fleet.resident(node.id(), session, model.getModel(), model.getResidentBytes());
        }
      }
      dispatcher
          .roundTrips()
          .ask(node.id())
          .ifPresent(
              number ->
                  session.send(
                      CoordinatorMessage.newBuilder()
                          .setEcho(Echo.newBuilder().setNumber(number))
                          .build()));
    }

    private void prefixes(HeldPrefixes prefixes) {
      PrefixNews news = prefixes.getNews();
      dispatcher
          .prefixes()
          .told(
              node.id(),
              prefixes.getModel(),
              news.getWhole(),
              news.getHeldList(),
              news.getTokensList(),
              news.getDroppedList());
    }

    private void take(LinkReport report) {
      boolean news =
          switch (report.getResultCase()) {
            case REACHED ->
                survey.found(
                    node.id(),
                    report.getNodeId(),
                    new Finding.Reached(
                        report.getReached().getRoundTripSeconds(),
                        report.getReached().getBytesPerSecond()));
            case UNREACHABLE ->
                survey.found(
                    node.id(),
                    report.getNodeId(),
                    new Finding.Unreachable(report.getUnreachable()));
            case RESULT_NOT_SET -> false;
          };
      if (news) {
        deployments.linksChanged();
      }
    }

    private void attach(AgentMessage message) {
      if (!message.hasHello()) {
        refuse("the first message of a session is hello");
        return;
      }
      Hello hello = message.getHello();
      CourtesyPolicy owner = WirePolicy.fromWire(hello.getOwner());
      session.send(
          CoordinatorMessage.newBuilder()
              .setWelcome(
                  Welcome.newBuilder()
                      .setNodeName(node.name())
                      .setReportIntervalMillis((int) reportInterval.toMillis()))
              .build());
      attached = true;
      capability = WireFleet.fromWire(hello.getCapability());
      policies.follow(node.id(), owner, policy);
      fleet.noteKey(node.id(), key);
      fleet.attach(
          node,
          session,
          hello.getAgentVersion(),
          granted(policies.of(node.id())),
          hello.getPeerAddress(),
          new HashSet<>(hello.getModelsList()));
    }

    private void tell(CourtesyPolicy now) {
      session.send(CoordinatorMessage.newBuilder().setPolicy(WirePolicy.toWire(now)).build());
      fleet.capability(node.id(), session, granted(now));
    }

    /** What the node has, as far as models may use it. */
    private Capability granted(CourtesyPolicy now) {
      Capability has = Objects.requireNonNull(capability);
      OptionalLong most = now.ceilings().memoryBytes();
      return most.isPresent() ? has.withMemoryUpTo(most.getAsLong()) : has;
    }

    /** An agent that sends what it must not is out; a thrown exception would leave it half in. */
    private void refuse(String reason) {
      log.warn("node {} was cut off: {}", node.name(), reason);
      session.end(Status.INVALID_ARGUMENT.withDescription(reason));
      end(NodeState.LOST, reason);
    }

    @Override
    public void onError(Throwable broken) {
      log.debug("session of node {} broke", node.name(), broken);
      end(NodeState.LOST, "the session broke");
    }

    @Override
    public void onCompleted() {
      end(NodeState.OFFLINE, "goodbye");
    }

    private void end(NodeState how, String reason) {
      over = true;
      policies.leave(node.id(), policy);
      if (attached) {
        // Before the requests fail over, so that none is sent here again.
        fleet.detach(node.id(), session, how);
      }
      session.close(reason);
    }
  }
}
