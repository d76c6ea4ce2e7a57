package dev.cloister.coordinator.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cloister.coordinator.store.Database;
import dev.cloister.coordinator.store.SqliteTokenRecords;
import dev.cloister.identity.MemberKey;
import dev.cloister.identity.Role;
import dev.cloister.identity.SpiffeId;
import dev.cloister.identity.authority.CertificateAuthority;
import dev.cloister.identity.authority.InvalidSigningRequestException;
import dev.cloister.identity.token.JoinToken;
import dev.cloister.testkit.SettableClock;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SuppressWarnings("NullAway.Init")
class AdmissionTest {
  private static final Duration HOUR = Duration.ofHours(1);
  private static final String REMEDY =
      "; create a new one on the coordinator with: cloister token create";

  @TempDir private Path directory;
  private final SettableClock clock = new SettableClock(Instant.parse("2026-01-01T00:00:00Z"));
  private final List<Member> joined = new ArrayList<>();
  private Database database;
  private Admission admission;

  @BeforeEach
  void open() {
    database = Database.open(directory.resolve("cloister.db"));
    CertificateAuthority authority =
        CertificateAuthority.openOrCreate(
            directory.resolve("ca"),
            "a long passphrase opens the key without delay".toCharArray(),
            clock);
    admission = new Admission(authority, new SqliteTokenRecords(database), clock, joined::add);
  }

  @AfterEach
  void close() {
    database.close();
  }

  @Test
  void aTokenMakesAMemberWithTheTokensRole() throws Exception {
    JoinToken token = token(Role.CLIENT, 1);
    List<X509Certificate> chain = enroll(token, "laptop");
    SpiffeId id = SpiffeId.of(chain.getFirst());
    assertThat(id.role()).isEqualTo(Role.CLIENT);
    assertThat(joined)
        .containsExactly(new Member(id.memberId(), Role.CLIENT, "laptop", clock.instant()));
    assertThat(chain.getFirst().getNotAfter().toInstant())
        .isEqualTo(clock.instant().plus(Admission.CERTIFICATE_LIFETIME));
  }

  @Test
  void aUsedTokenIsRefusedAndTheMessageSaysWhatToDo() {
    JoinToken token = token(Role.AGENT, 1);
    enroll(token, "first");
    assertRefused(token, "the join token was already used" + REMEDY);
    assertThat(joined).hasSize(1);
  }

  @Test
  void anExpiredTokenIsRefusedAndTheMessageSaysSinceWhen() {
    JoinToken token = token(Role.AGENT, 1);
    clock.advance(HOUR);
    assertRefused(token, "the join token expired 0 s ago" + REMEDY);
    clock.advance(Duration.ofMinutes(200));
    assertRefused(token, "the join token expired 3 h ago" + REMEDY);
    clock.advance(Duration.ofDays(2));
    assertRefused(token, "the join token expired 2 d ago" + REMEDY);
  }

  @Test
  void aRevokedTokenIsRefused() {
    JoinToken token = token(Role.AGENT, 1);
    assertThat(admission.revokeToken(token.id())).isTrue();
    assertRefused(token, "the join token was revoked" + REMEDY);
    assertThat(admission.revokeToken("aaaaaaaaaa")).isFalse();
  }

  @Test
  void anAlteredSecretOrIdIsRefusedAndCostsNoUse() {
    JoinToken token = token(Role.AGENT, 1);
    byte[] secret = token.secret();
    secret[0] ^= 1;
    JoinToken altered = new JoinToken(token.address(), token.rootPin(), token.id(), secret);
    JoinToken unknown =
        new JoinToken(token.address(), token.rootPin(), "aaaaaaaaaa", token.secret());
    assertRefused(altered, "the join token is unknown or was altered" + REMEDY);
    assertRefused(unknown, "the join token is unknown or was altered" + REMEDY);
    assertThat(enroll(token, "desk")).hasSize(2);
  }

  @Test
  void aMalformedSigningRequestCostsNoUse() {
    JoinToken token = token(Role.AGENT, 1);
    assertThatThrownBy(
            () -> admission.enroll(token.id(), token.secret(), new byte[] {1, 2, 3}, "desk"))
        .isInstanceOf(InvalidSigningRequestException.class);
    assertThat(enroll(token, "desk")).hasSize(2);
  }

  @Test
  void aHostNameBecomesANameWhateverItHolds() {
    JoinToken token = token(Role.AGENT, 10);
    enroll(token, "Zoë's PC\n");
    enroll(token, "--../../etc/passwd");
    enroll(token, "\uD83D\uDE80");
    enroll(token, "");
    enroll(token, "x".repeat(1_000));
    enroll(token, "desk");
    enroll(token, "desk");
    assertThat(joined)
        .extracting(Member::name)
        .containsExactly(
            "Zo--s-PC-", "etc-passwd", "node", "node-2", "x".repeat(63), "desk", "desk-2");
  }

  @Test
  void roleLifetimeAndUsesAreBounded() {
    assertUnmakeable(Role.COORDINATOR, HOUR, 1, "role is coordinator");
    assertUnmakeable(Role.AGENT, Duration.ofMillis(999), 1, "lifetime is PT0.999S");
    assertUnmakeable(Role.AGENT, Duration.ofMillis(-1), 1, "lifetime");
    assertUnmakeable(Role.AGENT, Duration.ofDays(30).plusMillis(1), 1, "1 second to 30 days");
    assertUnmakeable(Role.AGENT, HOUR, 0, "uses is 0");
    assertUnmakeable(Role.AGENT, HOUR, 10_001, "uses is 10001 (expected: 1 to 10000)");
    admission.createToken(Role.ADMIN, Duration.ofSeconds(1), 10_000, "127.0.0.1:7443");
    admission.createToken(Role.AGENT, Duration.ofDays(30), 1, "127.0.0.1:7443");
    assertThat(admission.tokens()).hasSize(2);
  }

  @Test
  void aMemberRenewsWithItsOwnIdentityAndAStrangerDoesNot() throws Exception {
    SpiffeId member = SpiffeId.of(enroll(token(Role.AGENT, 1), "desk").getFirst());
    byte[] request = MemberKey.signingRequest(MemberKey.generate());
    assertThat(SpiffeId.of(admission.renew(member, request).getFirst())).isEqualTo(member);
    SpiffeId promoted = new SpiffeId(member.clusterId(), Role.ADMIN, member.memberId());
    assertThatThrownBy(() -> admission.renew(promoted, request))
        .isInstanceOf(AdmissionRefusedException.class)
        .hasMessage("this member was removed from the cluster");
  }

  private JoinToken token(Role role, int uses) {
    return admission.createToken(role, HOUR, uses, "127.0.0.1:7443").token();
  }

  private List<X509Certificate> enroll(JoinToken token, String name) {
    return admission.enroll(
        token.id(), token.secret(), MemberKey.signingRequest(MemberKey.generate()), name);
  }

  private void assertRefused(JoinToken token, String message) {
    assertThatThrownBy(() -> enroll(token, "desk"))
        .isInstanceOf(AdmissionRefusedException.class)
        .hasMessage(message);
  }

  private void assertUnmakeable(Role role, Duration lifetime, int uses, String message) {
    assertThatThrownBy(() -> admission.createToken(role, lifetime, uses, "127.0.0.1:7443"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }
}
