package dev.cloister.agent.link;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.cloister.identity.Identity;
import dev.cloister.identity.MemberKey;
import dev.cloister.identity.Role;
import dev.cloister.identity.authority.CertificateAuthority;
import dev.cloister.identity.enrollment.Membership;
import dev.cloister.identity.ticket.KeyHash;
import dev.cloister.identity.ticket.PlanTicket;
import dev.cloister.identity.ticket.TicketSigner;
import dev.cloister.identity.tls.ClusterTls;
import dev.cloister.proto.agent.v1.AgentMessage;
import dev.cloister.proto.agent.v1.AgentSessionServiceGrpc;
import dev.cloister.proto.agent.v1.CancelGeneration;
import dev.cloister.proto.agent.v1.ConnectStage;
import dev.cloister.proto.agent.v1.CoordinatorMessage;
import dev.cloister.proto.agent.v1.DropModel;
import dev.cloister.proto.agent.v1.EngineOptions;
import dev.cloister.proto.agent.v1.MeasureLink;
import dev.cloister.proto.agent.v1.ServeModel;
import dev.cloister.proto.agent.v1.StageAssignment;
import dev.cloister.proto.agent.v1.StartGeneration;
import dev.cloister.proto.agent.v1.Welcome;
import dev.cloister.proto.inference.v1.Generation;
import dev.cloister.proto.peer.v1.Neighbour;
import dev.cloister.proto.peer.v1.SignedTicket;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** The coordinator's end of agents' sessions, over real mutual TLS; it can die and come back. */
final class FakeCoordinator extends AgentSessionServiceGrpc.AgentSessionServiceImplBase
    implements AutoCloseable {
  final List<Visit> visits = new CopyOnWriteArrayList<>();
  final AtomicInteger mostOpenAtOnce = new AtomicInteger();
  volatile @Nullable Status refusal;

  private final CertificateAuthority authority;
  private final Identity own;
  private final AtomicInteger open = new AtomicInteger();
  private final int port;
  private Server server;

  FakeCoordinator(Path directory) throws IOException {
    authority =
        CertificateAuthority.openOrCreate(
            directory.resolve("ca"),
            "a long passphrase opens the key without delay".toCharArray(),
            InstantSource.system());
    own = identity(Role.COORDINATOR, "c1");
    server = start(0);
    port = server.getPort();
  }

  Membership member(Path directory) {
    return Membership.save(directory, "127.0.0.1:" + port, identity(Role.AGENT, "pc-7"));
  }

  byte[] sign(PlanTicket ticket) {
    return new TicketSigner(() -> own).sign(ticket);
  }

  private Identity identity(Role role, String id) {
    KeyPair keys = MemberKey.generate();
    return new Identity(
        keys.getPrivate(),
        authority.issue(MemberKey.signingRequest(keys), role, id, Duration.ofDays(1), List.of()));
  }

  private Server start(int port) throws IOException {
    return NettyServerBuilder.forAddress(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
        .sslContext(ClusterTls.server(() -> own))
        .permitKeepAliveTime(5, TimeUnit.SECONDS)
        .addService(this)
        .build()
        .start();
  }

  void die() throws InterruptedException {
    server.shutdownNow().awaitTermination();
  }

  void comeBack() throws IOException {
    server = start(port);
  }

  @Override
  public StreamObserver<AgentMessage> open(StreamObserver<CoordinatorMessage> toAgent) {
    if (refusal != null) {
      toAgent.onError(refusal.asRuntimeException());
      return new Visit(toAgent);
    }
    mostOpenAtOnce.accumulateAndGet(open.incrementAndGet(), Math::max);
    Visit visit = new Visit(toAgent);
    visits.add(visit);
    return visit;
  }

  @Override
  public void close() {
    server.shutdownNow();
  }

  /** One session. */
  final class Visit implements StreamObserver<AgentMessage> {
    final Queue<AgentMessage> messages = new ConcurrentLinkedQueue<>();
    volatile boolean goodbye;
    volatile boolean broken;
    private volatile boolean reading = true;
    private final StreamObserver<CoordinatorMessage> toAgent;
    private final ServerCallStreamObserver<CoordinatorMessage> call;

    Visit(StreamObserver<CoordinatorMessage> toAgent) {
      this.toAgent = toAgent;
      this.call = (ServerCallStreamObserver<CoordinatorMessage>) toAgent;
      call.disableAutoRequest();
      call.request(1);
    }

    @Override
    public void onNext(AgentMessage message) {
      messages.add(message);
      if (reading) {
        call.request(1);
      }
      if (message.hasHello()) {
        send(
            CoordinatorMessage.newBuilder()
                .setWelcome(Welcome.newBuilder().setNodeName("pc").setReportIntervalMillis(100)));
      }
    }

    void serve(String model, String sha256) {
      serve(model, sha256, EngineOptions.getDefaultInstance());
    }

    void serve(String model, String sha256, EngineOptions options) {
      send(
          CoordinatorMessage.newBuilder()
              .setServe(
                  ServeModel.newBuilder()
                      .setModel(model)
                      .setSha256(sha256)
                      .setSizeBytes(1)
                      .setSlots(2)
                      .setOptions(options)));
    }

    void serveStage(String model, String sha256, StageAssignment stage) {
      send(
          CoordinatorMessage.newBuilder()
              .setServe(
                  ServeModel.newBuilder()
                      .setModel(model)
                      .setSha256(sha256)
                      .setSizeBytes(1)
                      .setSlots(2)
                      .setStage(stage)));
    }

    void connect(String model, byte[] signedTicket) throws InvalidProtocolBufferException {
      send(
          CoordinatorMessage.newBuilder()
              .setConnect(
                  ConnectStage.newBuilder()
                      .setModel(model)
                      .setTicket(SignedTicket.parseFrom(signedTicket))));
    }

    void drop(String model) {
      send(CoordinatorMessage.newBuilder().setDrop(DropModel.newBuilder().setModel(model)));
    }

    void measure(String nodeId, KeyHash key, String address) {
      send(
          CoordinatorMessage.newBuilder()
              .setMeasure(
                  MeasureLink.newBuilder()
                      .setNode(
                          Neighbour.newBuilder()
                              .setNodeId(nodeId)
                              .addKeyHashes(ByteString.copyFrom(key.bytes()))
                              .setAddress(address))
                      .setPayloadBytes(4 << 20)));
    }

    void generate(String id, String model, String prompt) {
      generate(id, model, Generation.newBuilder().setText(prompt).build());
    }

    /** Takes nothing more from the agent, or takes everything again. */
    void reading(boolean wanted) {
      reading = wanted;
      if (wanted) {
        call.request(1);
      }
    }

    void generate(String id, String model, Generation generation) {
      send(
          CoordinatorMessage.newBuilder()
              .setStart(
                  StartGeneration.newBuilder()
                      .setRequestId(id)
                      .setModel(model)
                      .setTenant("key/7")
                      .setGeneration(generation)));
    }

    void cancel(String id) {
      send(
          CoordinatorMessage.newBuilder()
              .setCancel(CancelGeneration.newBuilder().setRequestId(id)));
    }

    synchronized void send(CoordinatorMessage.Builder message) {
      toAgent.onNext(message.build());
    }

    synchronized void end(Status status) {
      open.decrementAndGet();
      toAgent.onError(status.asRuntimeException());
    }

    @Override
    public void onError(Throwable cause) {
      broken = true;
      open.decrementAndGet();
    }

    @Override
    public void onCompleted() {
      goodbye = true;
      open.decrementAndGet();
      toAgent.onCompleted();
    }
  }
}
