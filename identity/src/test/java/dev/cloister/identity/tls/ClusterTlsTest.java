package dev.cloister.identity.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cloister.identity.Identity;
import dev.cloister.identity.MemberKey;
import dev.cloister.identity.RenewableIdentity;
import dev.cloister.identity.Role;
import dev.cloister.identity.SpiffeId;
import dev.cloister.identity.authority.TestCluster;
import io.grpc.netty.GrpcSslContexts;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Instant;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClusterTlsTest {
  private final TestCluster cluster;
  private final TestCluster otherCluster;
  private final Identity coordinator;
  private final Identity agent;
  private final SslContext server;

  ClusterTlsTest(@TempDir Path directory) {
    cluster = new TestCluster(directory.resolve("one"));
    otherCluster = new TestCluster(directory.resolve("two"));
    coordinator = cluster.member(Role.COORDINATOR, "c1");
    agent = cluster.member(Role.AGENT, "pc-7");
    server = ClusterTls.server(() -> coordinator);
  }

  @Test
  void membersKnowEachOther() throws Exception {
    Handshake done = Handshake.between(client(agent, Role.COORDINATOR), server);

    assertThat(ClusterTls.peer(done.server())).hasValue(agent.id());
    assertThat(ClusterTls.peer(done.client())).hasValue(coordinator.id());
    assertThat(done.client().getProtocol()).isEqualTo("TLSv1.3");
  }

  @Test
  void agentsKnowEachOther() throws Exception {
    Identity peer = cluster.member(Role.AGENT, "pc-8");
    SslContext listener = ClusterTls.server(() -> peer, ClientCertificate.REQUIRED);

    Handshake done = Handshake.between(client(agent, Role.AGENT), listener);

    assertThat(ClusterTls.peer(done.server())).hasValue(agent.id());
    assertThat(ClusterTls.peer(done.client())).hasValue(peer.id());
  }

  @Test
  void aNewcomerIsLetInWithoutANameByTheCoordinatorOnly() throws Exception {
    SslContext newcomer = ClusterTls.enrolling(cluster.authority().rootPin());

    Handshake done = Handshake.between(newcomer, server);

    assertThat(ClusterTls.peer(done.server())).isEmpty();
    assertThat(ClusterTls.peer(done.client())).hasValue(coordinator.id());
    SslContext listener = ClusterTls.server(() -> coordinator, ClientCertificate.REQUIRED);
    assertRefused(newcomer, listener);
  }

  @Test
  void aNewcomerTellsAnotherClustersCoordinatorFromItsOwn() {
    Identity other = otherCluster.member(Role.COORDINATOR, "c1");
    SslContext newcomer = ClusterTls.enrolling(cluster.authority().rootPin());

    assertThatThrownBy(() -> Handshake.between(newcomer, ClusterTls.server(() -> other)))
        .isInstanceOf(SSLException.class)
        .matches(PinMismatchException::isCauseOf);
  }

  @Test
  void aNewcomerIsNotFooledByTheRightRootBehindAForeignLeaf() {
    KeyPair keys = MemberKey.generate();
    Identity other = otherCluster.member(Role.COORDINATOR, "c1");
    X509Certificate forged =
        TestCluster.forge(other, keys, coordinator.id(), cluster.authority().root());
    SslContext impostor = rawServer(keys, forged, cluster.authority().root());

    assertRefused(ClusterTls.enrolling(cluster.authority().rootPin()), impostor, "not signed by");
  }

  @Test
  void aNewcomerDoesNotTakeAnAgentForTheCoordinator() {
    assertRefused(
        ClusterTls.enrolling(cluster.authority().rootPin()),
        ClusterTls.server(() -> agent),
        "expected role: coordinator");
  }

  @Test
  void otherClustersAreRefusedOnBothSides() {
    Identity stranger = otherCluster.member(Role.AGENT, "pc-7");
    Identity strangeCoordinator = otherCluster.member(Role.COORDINATOR, "c1");

    assertRefused(rawClient(stranger), server);
    assertRefused(client(agent, Role.COORDINATOR), ClusterTls.server(() -> strangeCoordinator));
  }

  @Test
  void aPeerOfAnotherRoleIsRefused() {
    Identity peer = cluster.member(Role.AGENT, "pc-8");
    assertRefused(
        client(agent, Role.COORDINATOR),
        ClusterTls.server(() -> peer),
        "expected role: coordinator");
  }

  @Test
  void aClientsCertificateCannotServe() {
    Identity user = cluster.member(Role.CLIENT, "laptop");
    assertRefused(
        client(agent, Role.CLIENT), ClusterTls.server(() -> user), "not made for this use");
  }

  @Test
  void expiredAndNotYetValidCertificatesAreRefusedOnBothSides() {
    Instant now = Instant.now();
    Identity expired =
        cluster.member(Role.COORDINATOR, "c1", now.minus(TestCluster.DAY.multipliedBy(2)));
    Identity early = cluster.member(Role.COORDINATOR, "c1", now.plus(TestCluster.DAY));

    for (Identity invalid : new Identity[] {expired, early}) {
      assertRefused(rawClient(invalid), server);
      assertRefused(client(agent, Role.COORDINATOR), ClusterTls.server(() -> invalid));
      assertRefused(
          ClusterTls.enrolling(cluster.authority().rootPin()), ClusterTls.server(() -> invalid));
    }
  }

  @Test
  void aMemberCannotSignAnotherMember() {
    KeyPair keys = MemberKey.generate();
    SpiffeId wished = new SpiffeId(cluster.authority().clusterId(), Role.ADMIN, "me");
    X509Certificate forged = TestCluster.forge(agent, keys, wished, agent.leaf());

    assertRefused(rawClient(keys, forged, agent.leaf(), agent.root()), server);
    assertRefused(rawClient(keys, forged, agent.leaf()), server);
    assertRefused(rawClient(keys, forged, agent.root()), server);
    assertRefused(rawClient(keys, forged), server);
  }

  @Test
  void aSelfMadeCertificateWithAStolenNameIsRefused() {
    KeyPair keys = MemberKey.generate();
    Identity other = otherCluster.member(Role.AGENT, "pc-7");
    X509Certificate forged = TestCluster.forge(other, keys, agent.id(), other.root());

    assertRefused(rawClient(keys, forged, other.root()), server);
    assertRefused(rawClient(keys, forged, agent.root()), server);
    assertRefused(rawClient(keys, forged), server);
  }

  @Test
  void theRightRootWithANameOfAnotherClusterIsRefused() {
    KeyPair keys = MemberKey.generate();
    SpiffeId foreign = new SpiffeId("elsewhere", Role.AGENT, "pc-7");
    X509Certificate odd = cluster.signWithRoot(keys, foreign);

    assertRefused(
        rawClient(keys, odd, cluster.authority().root()), server, "member of another cluster");
  }

  @Test
  void tls12IsRefused() throws Exception {
    SslContext old =
        SslContextBuilder.forClient()
            .trustManager(InsecureTrustManagerFactory.INSTANCE)
            .protocols("TLSv1.2")
            .build();
    assertRefused(old, server, "protocol");
  }

  @Test
  void aRenewedIdentityIsUsedByTheNextHandshakeAndNoSessionIsResumed() throws Exception {
    RenewableIdentity own = new RenewableIdentity(agent);
    SslContext client = ClusterTls.client(own, Role.COORDINATOR);
    Handshake first = Handshake.between(client, server);
    Identity renewed = cluster.member(Role.AGENT, "pc-7");

    own.set(renewed);
    Handshake second = Handshake.between(client, server);

    assertThat(first.server().getPeerCertificates()[0]).isEqualTo(agent.leaf());
    assertThat(second.server().getPeerCertificates()[0]).isEqualTo(renewed.leaf());
  }

  private static SslContext client(Identity own, Role expected) {
    return ClusterTls.client(() -> own, expected);
  }

  /** A client that trusts everybody, so that only the server can refuse. */
  private static SslContext rawClient(Identity own) {
    return rawClient(
        new KeyPair(own.leaf().getPublicKey(), own.key()),
        own.chain().toArray(X509Certificate[]::new));
  }

  private static SslContext rawClient(KeyPair keys, X509Certificate... chain) {
    return build(SslContextBuilder.forClient().keyManager(new FixedKey(keys, chain)));
  }

  private static SslContext rawServer(KeyPair keys, X509Certificate... chain) {
    return build(SslContextBuilder.forServer(new FixedKey(keys, chain)));
  }

  private static SslContext build(SslContextBuilder builder) {
    try {
      return GrpcSslContexts.configure(builder, SslProvider.JDK)
          .trustManager(InsecureTrustManagerFactory.INSTANCE)
          .build();
    } catch (SSLException e) {
      throw new AssertionError(e);
    }
  }

  private static void assertRefused(SslContext client, SslContext server) {
    assertRefused(client, server, "");
  }

  private static void assertRefused(SslContext client, SslContext server, String reason) {
    assertThatThrownBy(() -> Handshake.between(client, server))
        .isInstanceOf(SSLException.class)
        .hasStackTraceContaining(reason)
        .matches(failure -> !PinMismatchException.isCauseOf(failure));
  }
}
