package dev.cloister.agent.stage;

import dev.cloister.agent.engine.IoThread;
import dev.cloister.agent.transfer.NoPieces;
import dev.cloister.identity.Identity;
import dev.cloister.identity.MemberKey;
import dev.cloister.identity.Role;
import dev.cloister.identity.authority.CertificateAuthority;
import dev.cloister.identity.ticket.KeyHash;
import dev.cloister.identity.ticket.Neighbour;
import dev.cloister.identity.ticket.PlanTicket;
import dev.cloister.identity.ticket.TicketSigner;
import dev.cloister.identity.ticket.TicketVerifier;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The peer servers of some agents over real mutual TLS on loopback, each with an engine. */
final class TestRing implements AutoCloseable {
  static final String SHA256 = "ab".repeat(32);

  final List<Node> nodes = new ArrayList<>();
  private final CertificateAuthority authority;
  private final TicketSigner signer;

  TestRing(Path directory, int size, Duration longestWait) throws IOException {
    authority =
        CertificateAuthority.openOrCreate(
            directory.resolve("ca"),
            "a long passphrase opens the key without delay".toCharArray(),
            InstantSource.system());
    Identity coordinator = identity(Role.COORDINATOR, "c1");
    signer = new TicketSigner(() -> coordinator);
    for (int i = 0; i < size; i++) {
      Identity identity = identity(Role.AGENT, "node-" + i);
      IoThread thread = new IoThread();
      Stages stages =
          new Stages(
              () -> identity,
              new TicketVerifier(() -> identity, InstantSource.system()),
              "127.0.0.1:1",
              thread,
              longestWait);
      PeerListener listener =
          PeerListener.start(
              new Listening.At(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)),
              () -> identity,
              stages,
              NoPieces.sender(directory));
      StageEngine engine = new StageEngine(directory.resolve(i + ".sock"), i == 0, thread);
      nodes.add(new Node(identity, thread, stages, listener, engine));
    }
  }

  record Node(
      Identity identity,
      IoThread thread,
      Stages stages,
      PeerListener listener,
      StageEngine engine) {
    Neighbour neighbour() {
      return new Neighbour(
          identity.id().memberId(),
          Set.of(KeyHash.of(identity.leaf())),
          listener.address("127.0.0.1:1"));
    }
  }

  Identity identity(Role role, String id) {
    KeyPair keys = MemberKey.generate();
    return new Identity(
        keys.getPrivate(),
        authority.issue(MemberKey.signingRequest(keys), role, id, Duration.ofDays(1), List.of()));
  }

  /** Connects all stages of a plan, the first one first. */
  void connect(String plan, long epoch) {
    for (int i = 0; i < nodes.size(); i++) {
      connect(plan, epoch, i);
    }
  }

  void connect(String plan, long epoch, int stage) {
    connect(plan, epoch, stage, nodes.get(stage).engine());
  }

  /** Connects a stage with another engine than the node's own. */
  void connect(String plan, long epoch, int stage, StageEngine engine) {
    nodes
        .get(stage)
        .stages()
        .connect(
            "model of " + plan,
            signer.sign(ticket(plan, epoch, stage)),
            ticket -> Optional.of(engine.client));
  }

  PlanTicket ticket(String plan, long epoch, int stage) {
    return ticket(plan, epoch, stage, Instant.now().plusSeconds(60));
  }

  PlanTicket ticket(String plan, long epoch, int stage, Instant expiry) {
    int count = nodes.size();
    return new PlanTicket(
        plan,
        epoch,
        SHA256,
        stage,
        count,
        stage,
        stage + 1,
        nodes.get(stage).neighbour(),
        nodes.get((stage + count - 1) % count).neighbour(),
        nodes.get((stage + 1) % count).neighbour(),
        expiry);
  }

  byte[] sign(PlanTicket ticket) {
    return signer.sign(ticket);
  }

  /**
   * Opens a stream as another agent would, sends a frame, and tells how the stream ended.
   *
   * @param signedTicket none if null
   */
  Status openStream(
      Identity caller, byte @Nullable [] signedTicket, Neighbour target, InputStream frame)
      throws Exception {
    EventLoopGroup loops = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    ManagedChannel channel = new PeerDialer(() -> caller, loops, "127.0.0.1:1").dial(target);
    CompletableFuture<Status> end = new CompletableFuture<>();
    try {
      ClientCall<InputStream, InputStream> call =
          channel.newCall(StageStream.METHOD, CallOptions.DEFAULT);
      Metadata headers = new Metadata();
      if (signedTicket != null) {
        headers.put(StageStream.TICKET, signedTicket);
      }
      call.start(
          new ClientCall.Listener<>() {
            @Override
            public void onClose(Status status, Metadata trailers) {
              end.complete(status);
            }
          },
          headers);
      call.request(1);
      call.sendMessage(frame);
      return end.get(20, TimeUnit.SECONDS);
    } finally {
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
      var _ = loops.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
  }

  @Override
  public void close() {
    for (Node node : nodes) {
      node.listener().close();
      node.stages().close();
      node.engine().close();
      node.thread().close();
    }
  }
}
