package dev.cloister.coordinator.api;

import dev.cloister.coordinator.catalog.Catalog;
import dev.cloister.coordinator.catalog.ModelContents;
import dev.cloister.coordinator.courtesy.CourtesyPolicy;
import dev.cloister.coordinator.courtesy.Policies;
import dev.cloister.coordinator.deployment.Deployments;
import dev.cloister.coordinator.fakes.FakeModelFiles;
import dev.cloister.coordinator.fakes.MemoryModelRecords;
import dev.cloister.coordinator.fakes.MemoryNodeRecords;
import dev.cloister.coordinator.fleet.Fleet;
import dev.cloister.coordinator.fleet.Node;
import dev.cloister.coordinator.identity.Admission;
import dev.cloister.coordinator.identity.ApiKeys;
import dev.cloister.coordinator.identity.Member;
import dev.cloister.coordinator.links.Links;
import dev.cloister.coordinator.links.Survey;
import dev.cloister.coordinator.relay.Relays;
import dev.cloister.coordinator.routing.Dispatcher;
import dev.cloister.coordinator.routing.Outlook;
import dev.cloister.coordinator.store.Database;
import dev.cloister.coordinator.store.SqliteApiKeyRecords;
import dev.cloister.coordinator.store.SqlitePolicyRecords;
import dev.cloister.coordinator.store.SqliteTokenRecords;
import dev.cloister.coordinator.wake.Waker;
import dev.cloister.identity.Identity;
import dev.cloister.identity.IdentitySource;
import dev.cloister.identity.MemberKey;
import dev.cloister.identity.Role;
import dev.cloister.identity.authority.CertificateAuthority;
import dev.cloister.identity.enrollment.Membership;
import dev.cloister.identity.ticket.TicketSigner;
import dev.cloister.identity.ticket.TicketVerifier;
import dev.cloister.identity.tls.ClusterTls;
import dev.cloister.identity.token.JoinToken;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.handler.ssl.SslContext;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;

/** The cluster port on a loopback address, with TLS and everything behind it. */
final class TestClusterPort implements AutoCloseable {
  private final Path directory;
  private final Database database;
  private final CertificateAuthority authority;
  private final ClusterServer server;
  private final List<ManagedChannel> channels = new ArrayList<>();

  /** TLS knows the system's time only, so this starts there. */
  private final AtomicReference<Duration> ahead = new AtomicReference<>(Duration.ZERO);

  private final InstantSource clock = () -> Instant.now().plus(ahead.get());
  final Catalog catalog = new Catalog(new MemoryModelRecords("tiny"), clock);
  final Fleet fleet = new Fleet(List.of(), new MemoryNodeRecords(), clock, Duration.ofSeconds(60));
  final Links links = new Links();
  final Survey survey = new Survey(fleet, links, clock);
  private final ModelContents contents = new ModelContents(new FakeModelFiles());
  final Deployments deployments =
      new Deployments(catalog, fleet, links, contents, clock, () -> "plan");
  final Dispatcher dispatcher = new Dispatcher(catalog, fleet, Outlook.NONE, clock);
  final Admission admission;
  final TicketSigner signer;
  final Relays relays;

  TestClusterPort(Path directory) throws IOException {
    this.directory = directory;
    database = Database.open(directory.resolve("cloister.db"));
    authority =
        CertificateAuthority.openOrCreate(
            directory.resolve("ca"),
            "a long passphrase opens the key without delay".toCharArray(),
            clock);
    fleet.addListener(dispatcher);
    admission =
        new Admission(authority, new SqliteTokenRecords(database), clock, this::declareAgent);
    Identity own = issue(Role.COORDINATOR, "coordinator");
    signer = new TicketSigner(() -> own);
    relays =
        new Relays(
            new TicketVerifier(() -> own, clock), id -> fleet.session(id).isPresent(), clock);
    server =
        ClusterServer.start(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
            () -> own,
            new ClusterServer.Services(
                fleet,
                catalog,
                contents,
                deployments,
                signer,
                relays,
                survey,
                dispatcher,
                new Waker(),
                admission,
                new ApiKeys(new SqliteApiKeyRecords(database), clock),
                port -> "127.0.0.1:" + port,
                Duration.ofSeconds(1),
                new Policies(CourtesyPolicy.DEFAULT, new SqlitePolicyRecords(database)),
                clock));
  }

  private void declareAgent(Member member) {
    if (member.role() == Role.AGENT) {
      fleet.declare(new Node(member.id(), member.name()));
    }
  }

  /** Moves the coordinator's time on, not the one that TLS checks certificates with. */
  void advance(Duration by) {
    ahead.updateAndGet(by::plus);
  }

  int port() {
    return server.port();
  }

  JoinToken token(Role role, int uses) {
    return admission.createToken(role, Duration.ofHours(1), uses, "127.0.0.1:" + port()).token();
  }

  Membership join(Role role, String name) {
    return Membership.join(token(role, 1), directory.resolve(name), name);
  }

  /** A certificate of the cluster whose owner the coordinator does not know. */
  Identity issue(Role role, String memberId) {
    KeyPair keys = MemberKey.generate();
    return new Identity(
        keys.getPrivate(),
        authority.issue(
            MemberKey.signingRequest(keys), role, memberId, Duration.ofHours(1), List.of()));
  }

  ManagedChannel channel(IdentitySource identity) {
    return channel(ClusterTls.client(identity, Role.COORDINATOR));
  }

  /** A channel that shows no certificate. */
  ManagedChannel stranger() {
    return channel(ClusterTls.enrolling(JoinToken.pinOf(authority.root())));
  }

  private ManagedChannel channel(SslContext tls) {
    ManagedChannel channel =
        NettyChannelBuilder.forTarget("127.0.0.1:" + port())
            .sslContext(tls)
            .maxInboundMessageSize(64 << 20)
            .build();
    channels.add(channel);
    return channel;
  }

  @Override
  public void close() {
    channels.forEach(ManagedChannel::shutdownNow);
    server.close();
    database.close();
  }
}
