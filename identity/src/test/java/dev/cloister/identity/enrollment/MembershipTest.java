package dev.cloister.identity.enrollment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.cloister.identity.Identity;
import dev.cloister.identity.IdentityStore;
import dev.cloister.identity.InvalidIdentityException;
import dev.cloister.identity.Role;
import dev.cloister.identity.authority.TestCluster;
import dev.cloister.identity.enrollment.EnrollmentException.Reason;
import dev.cloister.identity.token.JoinToken;
import io.grpc.Status;
import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class MembershipTest {
  private static final String LOOPBACK = "127.0.0.1";

  private final Path home;
  private final TestCluster cluster;
  private final EnrollmentDesk desk;

  MembershipTest(@TempDir Path directory) throws IOException {
    home = directory.resolve("member");
    cluster = new TestCluster(directory);
    desk = new EnrollmentDesk(cluster, InetAddress.getLoopbackAddress());
  }

  @AfterEach
  void stop() {
    desk.close();
  }

  @Test
  void joiningKeepsAMembershipThatIsThereAfterARestart() {
    Membership joined = Membership.join(desk.token(LOOPBACK), home, "my-laptop");
    Membership loaded = Membership.load(home).orElseThrow();
    assertThat(loaded.coordinator()).isEqualTo(LOOPBACK + ":" + desk.port());
    assertThat(loaded.identity().current().leaf()).isEqualTo(joined.identity().current().leaf());
    assertThat(joined.identity().current().id().memberId()).isEqualTo(EnrollmentDesk.MEMBER);
    assertThat(desk.enrolled.getFirst().getName()).isEqualTo("my-laptop");
  }

  @Test
  void aHostNameWorksAsAnAddress() {
    assertThat(Membership.join(desk.token("localhost"), home, "a").coordinator())
        .isEqualTo("localhost:" + desk.port());
  }

  @Test
  void anIpv6LiteralWorksAsAnAddress() throws Exception {
    byte[] loopback = new byte[16];
    loopback[15] = 1;
    InetAddress six = InetAddress.getByAddress(loopback);
    assumeTrue(NetworkInterface.getByInetAddress(six) != null, "this machine has no IPv6");
    try (EnrollmentDesk other = new EnrollmentDesk(cluster, six)) {
      assertThat(Membership.join(other.token("[::1]"), home, "b").coordinator())
          .isEqualTo("[::1]:" + other.port());
    }
  }

  @Test
  void aHostNameThatDnsDoesNotAllowIsToldInOneSentence() {
    EnrollmentException failure = failureOf(() -> Membership.join(desk.token("my_pc"), home, "a"));
    assertThat(failure).hasMessageContaining("is no address that can be dialled");
  }

  @Test
  void aCoordinatorWithAnotherRootIsNotToldTheSecret() {
    JoinToken other =
        new JoinToken(LOOPBACK + ":" + desk.port(), new byte[32], "aaaaaaaaaa", new byte[32]);
    EnrollmentException failure = failureOf(() -> Membership.join(other, home, "a"));
    assertThat(failure.reason()).isEqualTo(Reason.WRONG_COORDINATOR);
    assertThat(failure)
        .hasMessageContaining("is not the one this join token was made for")
        .hasMessageContaining("cloister token create");
    assertThat(desk.enrolled).isEmpty();
    assertThat(Membership.load(home)).isEmpty();
  }

  @Test
  void aRefusalIsToldInTheCoordinatorsWords() {
    desk.failure = Status.PERMISSION_DENIED.withDescription("join token expired 3 h ago");
    EnrollmentException failure = failureOf(() -> Membership.join(desk.token(LOOPBACK), home, "a"));
    assertThat(failure.reason()).isEqualTo(Reason.REFUSED);
    assertThat(failure).hasMessage("join token expired 3 h ago");
    assertThat(Membership.load(home)).isEmpty();
  }

  @Test
  void aDefectOfTheCoordinatorIsNotCalledSilence() {
    desk.failure = Status.INTERNAL;
    EnrollmentException failure = failureOf(() -> Membership.join(desk.token(LOOPBACK), home, "a"));
    assertThat(failure.reason()).isEqualTo(Reason.UNREACHABLE);
    assertThat(failure).hasMessageContaining("failed with INTERNAL");
  }

  @Test
  @Timeout(5)
  void aClosedPortIsNoticedAtOnce() throws Exception {
    JoinToken token = desk.token(LOOPBACK);
    desk.close();
    EnrollmentException failure = failureOf(() -> Membership.join(token, home, "a"));
    assertThat(failure.reason()).isEqualTo(Reason.UNREACHABLE);
    assertThat(failure).hasMessageContaining("does not answer");
  }

  @Test
  @Timeout(20)
  void aPortThatNeverAnswersIsGivenUpAtTheDeadline() throws Exception {
    try (ServerSocket silent = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
      JoinToken token =
          new JoinToken(
              LOOPBACK + ":" + silent.getLocalPort(), new byte[32], "aaaaaaaaaa", new byte[32]);
      EnrollmentException failure = failureOf(() -> Membership.join(token, home, "a"));
      assertThat(failure.reason()).isEqualTo(Reason.UNREACHABLE);
    }
  }

  @Test
  void aProxyOfThePlatformIsLeftAside() throws Exception {
    AtomicBoolean asked = new AtomicBoolean();
    try (ServerSocket proxy = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
      Thread.ofVirtual()
          .start(
              () -> {
                try (Socket _ = proxy.accept()) {
                  asked.set(true);
                } catch (IOException e) {
                  // Nobody came.
                }
              });
      System.setProperty("https.proxyHost", LOOPBACK);
      System.setProperty("https.proxyPort", String.valueOf(proxy.getLocalPort()));
      System.setProperty("http.nonProxyHosts", "");
      Membership.join(desk.token(LOOPBACK), home, "a");
    } finally {
      System.clearProperty("https.proxyHost");
      System.clearProperty("https.proxyPort");
      System.clearProperty("http.nonProxyHosts");
    }
    assertThat(asked).isFalse();
  }

  @Test
  void renewalWaitsForHalfOfTheLifetimeAndThenTakesANewKey() {
    Membership member = Membership.join(desk.token(LOOPBACK), home, "a");
    Identity first = member.identity().current();
    Instant half = halfLife(first);

    assertThat(member.renewIfDue(half.minusSeconds(1))).isFalse();
    assertThat(member.identity().current()).isSameAs(first);

    assertThat(member.renewIfDue(half)).isTrue();
    Identity second = member.identity().current();
    assertThat(second.id()).isEqualTo(first.id());
    assertThat(second.leaf().getPublicKey()).isNotEqualTo(first.leaf().getPublicKey());
    assertThat(Membership.load(home).orElseThrow().identity().current().leaf())
        .isEqualTo(second.leaf());
  }

  @Test
  void aFailedRenewalLeavesTheOldIdentityInUseAndOnDisk() {
    Membership member = Membership.join(desk.token(LOOPBACK), home, "a");
    Identity first = member.identity().current();
    desk.failure = Status.PERMISSION_DENIED.withDescription("this node was removed");
    assertThat(failureOf(() -> member.renewIfDue(halfLife(first))).reason())
        .isEqualTo(Reason.REFUSED);
    desk.close();
    assertThat(failureOf(() -> member.renewIfDue(halfLife(first))).reason())
        .isEqualTo(Reason.UNREACHABLE);
    assertThat(member.identity().current()).isSameAs(first);
    assertThat(Membership.load(home).orElseThrow().identity().current().leaf())
        .isEqualTo(first.leaf());
  }

  @Test
  void aRenewalForSomebodyElseIsNotKept() {
    Membership member = Membership.join(desk.token(LOOPBACK), home, "a");
    Identity first = member.identity().current();
    desk.renewsAs = "pc-8";
    assertThatThrownBy(() -> member.renewIfDue(halfLife(first)))
        .isInstanceOf(InvalidIdentityException.class);
    assertThat(member.identity().current()).isSameAs(first);
    assertThat(Membership.load(home).orElseThrow().identity().current().leaf())
        .isEqualTo(first.leaf());
  }

  @Test
  void anExpiredMemberIsToldToJoinAgain() {
    Membership member = Membership.join(desk.token(LOOPBACK), home, "a");
    Instant later = Instant.now().plus(Duration.ofDays(2));
    EnrollmentException failure = failureOf(() -> member.renewIfDue(later));
    assertThat(failure.reason()).isEqualTo(Reason.REFUSED);
    assertThat(failure).hasMessageContaining("expired").hasMessageContaining("join again");
  }

  @Test
  void anotherClusterAtTheAddressIsNotCalledSilence(@TempDir Path elsewhere) throws Exception {
    TestCluster other = new TestCluster(elsewhere);
    try (EnrollmentDesk stranger = new EnrollmentDesk(other, InetAddress.getLoopbackAddress())) {
      Identity own = cluster.member(Role.AGENT, EnrollmentDesk.MEMBER);
      Membership member = Membership.save(home, LOOPBACK + ":" + stranger.port(), own);
      EnrollmentException failure = failureOf(() -> member.renewIfDue(halfLife(own)));
      assertThat(failure.reason()).isEqualTo(Reason.WRONG_COORDINATOR);
    }
  }

  @Test
  void aKillWhileSavingNeverPairsAnIdentityWithAnotherAddress() throws Exception {
    Identity old = cluster.member(Role.AGENT, "old");
    Membership.save(home, "old:1", old);

    // The steps of save, each the last before a kill.
    Files.delete(home.resolve("coordinator"));
    assertThat(Membership.load(home)).isEmpty();
    new IdentityStore(home).save(cluster.member(Role.AGENT, "new"));
    assertThat(Membership.load(home)).isEmpty();

    Membership.save(home, "new:1", cluster.member(Role.AGENT, "new"));
    Membership loaded = Membership.load(home).orElseThrow();
    assertThat(loaded.coordinator()).isEqualTo("new:1");
    assertThat(loaded.identity().current().id().memberId()).isEqualTo("new");
  }

  @Test
  void aSaveThatFailsHalfwayLeavesNoMixture() throws Exception {
    Membership.save(home, "old:1", cluster.member(Role.AGENT, "old"));
    Files.delete(home.resolve("identity.pem"));
    // Not empty, so nothing can be moved onto it: the save breaks at the identity.
    Files.createDirectories(home.resolve("identity.pem").resolve("in-the-way"));
    assertThatThrownBy(() -> Membership.save(home, "new:1", cluster.member(Role.AGENT, "new")))
        .isInstanceOf(java.io.UncheckedIOException.class);
    assertThat(home.resolve("coordinator")).doesNotExist();
  }

  private static Instant halfLife(Identity identity) {
    Instant begin = identity.leaf().getNotBefore().toInstant();
    Instant end = identity.leaf().getNotAfter().toInstant();
    return begin.plus(Duration.between(begin, end).dividedBy(2));
  }

  private static EnrollmentException failureOf(
      org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    return catchThrowableOfType(EnrollmentException.class, call);
  }
}
