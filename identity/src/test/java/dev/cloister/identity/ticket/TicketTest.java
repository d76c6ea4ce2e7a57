package dev.cloister.identity.ticket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.cloister.identity.Identity;
import dev.cloister.identity.Role;
import dev.cloister.identity.authority.TestCluster;
import dev.cloister.proto.peer.v1.SignedTicket;
import dev.cloister.proto.peer.v1.Ticket;
import java.nio.file.Path;
import java.security.cert.CertificateEncodingException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TicketTest {
  private final Instant now = Instant.now().truncatedTo(ChronoUnit.MILLIS);

  private final TestCluster cluster;
  private final Identity coordinator;
  private final Identity agent;
  private final TicketVerifier verifier;

  TicketTest(@TempDir Path directory) {
    cluster = new TestCluster(directory);
    coordinator = cluster.member(Role.COORDINATOR, "c1");
    agent = cluster.member(Role.AGENT, "pc-7");
    verifier = new TicketVerifier(() -> agent, () -> now);
  }

  @Test
  void whatTheCoordinatorSignedIsReadBack() {
    PlanTicket ticket = ticket(now.plusSeconds(60));
    assertThat(verifier.verify(signed(ticket))).isEqualTo(ticket);
  }

  @Test
  void aTicketIsWorthNothingOnceItHasExpired() {
    assertThat(verifier.verify(signed(ticket(now.plusMillis(1))))).isNotNull();
    assertRefused(signed(ticket(now)), "expired at " + now);
  }

  @Test
  void nobodyButTheCoordinatorSignsTickets() {
    for (Role role : Set.of(Role.AGENT, Role.ADMIN)) {
      Identity other = cluster.member(role, "x1");
      assertThatThrownBy(
              () -> verifier.verify(new TicketSigner(() -> other).sign(ticket(now.plusSeconds(9)))))
          .isInstanceOf(InvalidTicketException.class);
    }
    assertRefused(
        new TicketSigner(() -> agent).sign(ticket(now.plusSeconds(60))),
        "(expected role: coordinator)");
  }

  @Test
  void anAgentsSignatureUnderTheCoordinatorsCertificateIsRefused() throws Exception {
    byte[] own = new TicketSigner(() -> agent).sign(ticket(now.plusSeconds(60)));
    byte[] mixed =
        SignedTicket.parseFrom(own).toBuilder()
            .clearCertificates()
            .addCertificates(encoded(coordinator))
            .build()
            .toByteArray();
    assertRefused(mixed, "changed after it was signed");
  }

  @Test
  void anotherClustersCoordinatorIsNobody(@TempDir Path elsewhere) {
    Identity other = new TestCluster(elsewhere).member(Role.COORDINATOR, "c1");
    assertRefused(
        new TicketSigner(() -> other).sign(ticket(now.plusSeconds(60))),
        "not signed by a coordinator of this cluster");
  }

  @Test
  void aCoordinatorWhoseCertificateHasExpiredIsNobody() {
    Identity old =
        cluster.member(
            Role.COORDINATOR, "c1", Instant.now().minus(TestCluster.DAY.multipliedBy(3)));
    assertRefused(
        new TicketSigner(() -> old).sign(ticket(now.plusSeconds(60))),
        "not signed by a coordinator of this cluster");
  }

  @Test
  void changedBytesAreNoticed() throws Exception {
    SignedTicket signed = SignedTicket.parseFrom(signed(ticket(now.plusSeconds(60))));
    ByteString later =
        Ticket.parseFrom(signed.getTicket()).toBuilder()
            .setExpiresAtMillis(now.plus(Duration.ofDays(1)).toEpochMilli())
            .build()
            .toByteString();
    assertRefused(
        signed.toBuilder().setTicket(later).build().toByteArray(), "changed after it was signed");
  }

  @Test
  void anyChangedByteOrMissingEndIsRefusedWithASentence() {
    byte[] signed = signed(ticket(now.plusSeconds(60)));
    for (int i = 0; i < signed.length; i += 3) {
      byte[] changed = signed.clone();
      changed[i] ^= 0x11;
      assertRefusedOrTheSame(changed);
      assertRefusedOrTheSame(Arrays.copyOf(signed, i));
    }
  }

  /** The root's certificate adds nothing, so that a ticket without it is as good. */
  private void assertRefusedOrTheSame(byte[] damaged) {
    try {
      assertThat(verifier.verify(damaged)).isEqualTo(ticket(now.plusSeconds(60)));
    } catch (InvalidTicketException expected) {
      assertThat(expected).hasMessageStartingWith("the ticket");
    }
  }

  @Test
  void nonsenseIsRefusedWithASentence() throws InvalidProtocolBufferException {
    assertRefused(new byte[] {1, 2, 3}, "cannot be read");
    assertRefused(new byte[0], "0 certificates");
    SignedTicket signed = SignedTicket.parseFrom(signed(ticket(now.plusSeconds(60))));
    assertRefused(
        signed.toBuilder()
            .addCertificates(signed.getCertificates(0))
            .addCertificates(signed.getCertificates(0))
            .build()
            .toByteArray(),
        "4 certificates");
  }

  @Test
  void aNodeIsKnownByItsNameAndItsKey() {
    Neighbour pc7 = neighbour(agent);
    assertThat(pc7.isShownBy(agent.leaf())).isTrue();
    assertThat(pc7.isShownBy(cluster.member(Role.AGENT, "pc-7").leaf())).as("other key").isFalse();
    Neighbour pc8 = new Neighbour("pc-8", pc7.keys(), "10.0.0.8:7444");
    assertThat(pc8.isShownBy(agent.leaf())).as("other name").isFalse();
  }

  private void assertRefused(byte[] ticket, String why) {
    assertThatThrownBy(() -> verifier.verify(ticket))
        .isInstanceOf(InvalidTicketException.class)
        .hasMessageContaining(why);
  }

  private byte[] signed(PlanTicket ticket) {
    return new TicketSigner(() -> coordinator).sign(ticket);
  }

  private PlanTicket ticket(Instant expiresAt) {
    Neighbour neighbour = neighbour(agent);
    return new PlanTicket(
        "plan-1", 3, "ab".repeat(32), 1, 3, 4, 8, neighbour, neighbour, neighbour, expiresAt);
  }

  private static Neighbour neighbour(Identity member) {
    return new Neighbour(
        member.id().memberId(), Set.of(KeyHash.of(member.leaf())), "10.0.0.7:7444");
  }

  private static ByteString encoded(Identity member) {
    try {
      return ByteString.copyFrom(member.leaf().getEncoded());
    } catch (CertificateEncodingException e) {
      throw new AssertionError(e);
    }
  }
}
