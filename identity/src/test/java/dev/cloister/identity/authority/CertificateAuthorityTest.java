package dev.cloister.identity.authority;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cloister.identity.Identity;
import dev.cloister.identity.MemberKey;
import dev.cloister.identity.Pem;
import dev.cloister.identity.PrivateFileException;
import dev.cloister.identity.PrivateFiles;
import dev.cloister.identity.Role;
import dev.cloister.identity.SpiffeId;
import dev.cloister.identity.token.JoinToken;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class CertificateAuthorityTest {
  private static final Instant NOW = Instant.parse("2026-03-01T12:00:00Z");
  private static final Duration DAY = Duration.ofDays(1);
  private static final String SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
  private static final String CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

  /** As long as a generated one, and so opened without the delay that short ones need. */
  private static final String PASSPHRASE = "a long passphrase opens the key without delay";

  private final Path directory;
  private final KeyPair agentKey = MemberKey.generate();

  CertificateAuthorityTest(@TempDir Path parent) {
    directory = parent.resolve("ca");
  }

  @Test
  void theRootSignsCertificatesAndNothingElse() throws Exception {
    CertificateAuthority authority = open(PASSPHRASE, NOW);
    X509Certificate root = authority.root();

    assertThat(authority.clusterId()).matches("[a-z2-7]{16}");
    assertThat(root.getBasicConstraints()).isZero();
    assertThat(requireNonNull(root.getKeyUsage()))
        .containsExactly(false, false, false, false, false, true, false, false, false);
    assertThat(root.getNotBefore().toInstant()).isEqualTo(NOW.minusSeconds(300));
    assertThat(root.getNotAfter().toInstant()).isEqualTo(NOW.plus(DAY.multipliedBy(3652)));
    assertThat(requireNonNull(root.getSubjectAlternativeNames()))
        .containsExactly(List.of(6, "spiffe://" + authority.clusterId()));
    root.verify(root.getPublicKey());
    assertThat(authority.rootPin()).isEqualTo(JoinToken.pinOf(root)).hasSize(32);
  }

  @Test
  void reopenedItIsTheSame() {
    CertificateAuthority first = open(PASSPHRASE, NOW);
    CertificateAuthority second = open(PASSPHRASE, NOW.plus(DAY));

    assertThat(second.root()).isEqualTo(first.root());
    assertThat(second.clusterId()).isEqualTo(first.clusterId());
    new Identity(
        agentKey.getPrivate(),
        second.issue(MemberKey.signingRequest(agentKey), Role.AGENT, "a", DAY, List.of()));
  }

  @Test
  void aShortPassphraseIsMadeExpensiveToGuess() throws Exception {
    open("secret", NOW);

    assertThat(open("secret", NOW).clusterId()).isNotEmpty();
    // PBKDF2 parameters: INTEGER 600000.
    byte[] file = Files.readAllBytes(directory.resolve("root.key"));
    byte[] key = Pem.decode(file, List.of(Pem.ENCRYPTED_PRIVATE_KEY, Pem.CERTIFICATE)).getFirst();
    assertThat(HexFormat.of().formatHex(key)).contains("0203" + "0927c0");
  }

  @Test
  void aWrongPassphraseIsOneSentence() {
    open(PASSPHRASE, NOW);
    for (int i = 0; i < 5; i++) {
      String wrong = "wrong" + i;
      assertThatThrownBy(() -> open(wrong, NOW))
          .isInstanceOf(PrivateFileException.class)
          .hasMessage(
              "passphrase does not open %s; supply the one it was created with"
                  .formatted(directory.resolve("root.key")));
    }
  }

  @Test
  void aKillBetweenTheFilesOfANewAuthorityKeepsItsRoot() throws IOException {
    CertificateAuthority first = open(PASSPHRASE, NOW);
    Files.delete(directory.resolve("root.crt"));

    assertThat(open(PASSPHRASE, NOW).root()).isEqualTo(first.root());
    assertThat(directory.resolve("root.crt")).exists();
  }

  @Test
  void aLostKeyDoesNotSilentlyBecomeANewCluster() throws IOException {
    open(PASSPHRASE, NOW);
    Files.delete(directory.resolve("root.key"));

    assertThatThrownBy(() -> open(PASSPHRASE, NOW))
        .isInstanceOf(PrivateFileException.class)
        .hasMessageContaining("root.key is missing");
  }

  @Test
  void aDamagedKeyFileIsOneSentence() throws IOException {
    open(PASSPHRASE, NOW);
    Files.writeString(directory.resolve("root.key"), "garbage");

    assertThatThrownBy(() -> open(PASSPHRASE, NOW))
        .isInstanceOf(PrivateFileException.class)
        .hasMessageContaining("is damaged");
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void aLooserKeyOrDirectoryStopsTheStart() throws IOException {
    open(PASSPHRASE, NOW);
    Path key = directory.resolve("root.key");
    Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-r-----"));
    assertThatThrownBy(() -> open(PASSPHRASE, NOW)).hasMessageContaining("mode 0640");

    Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-------"));
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx--x--x"));
    assertThatThrownBy(() -> open(PASSPHRASE, NOW)).hasMessageContaining("mode 0711");
  }

  @Test
  void theKeyIsNotStoredInTheClear() throws IOException {
    open(PASSPHRASE, NOW);
    assertThat(Files.readString(directory.resolve("root.key")))
        .contains("BEGIN ENCRYPTED PRIVATE KEY")
        .doesNotContain("BEGIN PRIVATE KEY");
  }

  @Test
  void anAgentsCertificateSaysWhatItIsForAndHowLong() throws Exception {
    CertificateAuthority authority = open(PASSPHRASE, NOW);
    X509Certificate leaf = issue(authority, Role.AGENT, "pc-7", DAY);

    assertThat(leaf.getNotBefore().toInstant()).isEqualTo(NOW.minusSeconds(300));
    assertThat(leaf.getNotAfter().toInstant()).isEqualTo(NOW.plus(DAY));
    assertThat(leaf.getBasicConstraints()).isEqualTo(-1);
    assertThat(requireNonNull(leaf.getKeyUsage()))
        .containsExactly(true, false, false, false, false, false, false, false, false);
    assertThat(leaf.getExtendedKeyUsage()).containsExactly(SERVER_AUTH, CLIENT_AUTH);
    assertThat(requireNonNull(leaf.getSubjectAlternativeNames()))
        .containsExactly(List.of(6, "spiffe://" + authority.clusterId() + "/agent/pc-7"));
    assertThat(leaf.getSerialNumber().bitLength()).isEqualTo(127);
    assertThat(leaf.getPublicKey()).isEqualTo(agentKey.getPublic());
    assertThat(leaf.getExtensionValue("2.5.29.14")).isNotNull();
    assertThat(leaf.getExtensionValue("2.5.29.35")).isNotNull();
  }

  @Test
  void clientsAndAdminsCannotServe() throws Exception {
    CertificateAuthority authority = open(PASSPHRASE, NOW);
    for (Role role : List.of(Role.CLIENT, Role.ADMIN)) {
      assertThat(issue(authority, role, "a", DAY).getExtendedKeyUsage())
          .containsExactly(CLIENT_AUTH);
    }
  }

  @Test
  void onlyACoordinatorHasHostNames() throws Exception {
    CertificateAuthority authority = open(PASSPHRASE, NOW);
    byte[] request = MemberKey.signingRequest(agentKey);
    List<String> hosts = List.of("cloister.example.com", "10.0.0.1", "::1");

    X509Certificate leaf = authority.issue(request, Role.COORDINATOR, "c", DAY, hosts).getFirst();

    assertThat(requireNonNull(leaf.getSubjectAlternativeNames()))
        .contains(
            List.of(2, "cloister.example.com"),
            List.of(7, "10.0.0.1"),
            List.of(7, "0:0:0:0:0:0:0:1"));
    assertThat(SpiffeId.of(leaf).role()).isEqualTo(Role.COORDINATOR);
    assertThatThrownBy(() -> authority.issue(request, Role.AGENT, "a", DAY, hosts))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(
            () -> authority.issue(request, Role.COORDINATOR, "a", DAY, List.of("no host")))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void noCertificateOutlivesTheRoot() {
    Instant end = open(PASSPHRASE, NOW).root().getNotAfter().toInstant();

    X509Certificate last = issue(open(PASSPHRASE, end.minusSeconds(60)), Role.AGENT, "a", DAY);

    assertThat(last.getNotAfter().toInstant()).isEqualTo(end);
    assertThatThrownBy(() -> issue(open(PASSPHRASE, end), Role.AGENT, "a", DAY))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void aGeneratedPassphraseIsMadeOnceAndNeverReplaced() throws IOException {
    char[] first = PassphraseSource.passphrase(directory, null, null);
    open(new String(first), NOW);

    assertThat(PassphraseSource.passphrase(directory, null, null)).isEqualTo(first).hasSize(40);

    Files.delete(directory.resolve("root.pass"));
    assertThatThrownBy(() -> PassphraseSource.passphrase(directory, null, null))
        .isInstanceOf(PrivateFileException.class)
        .hasMessageContaining("root.pass is missing");
  }

  @Test
  void theOperatorsPassphraseWinsAndIsNotStored() {
    Path file = directory.resolve("given");
    PrivateFiles.write(file, "from file\n".getBytes(UTF_8));

    assertThat(PassphraseSource.passphrase(directory, "from value", file))
        .isEqualTo("from value".toCharArray());
    assertThat(PassphraseSource.passphrase(directory, null, file))
        .isEqualTo("from file".toCharArray());
    assertThat(directory.resolve("root.pass")).doesNotExist();
    assertThatThrownBy(() -> PassphraseSource.passphrase(directory, " ", null))
        .isInstanceOf(PrivateFileException.class);
    assertThatThrownBy(() -> PassphraseSource.passphrase(directory, "pässword", null))
        .isInstanceOf(PrivateFileException.class)
        .hasMessageNotContaining("ssword");
  }

  private X509Certificate issue(
      CertificateAuthority authority, Role role, String id, Duration lifetime) {
    return authority
        .issue(MemberKey.signingRequest(agentKey), role, id, lifetime, List.of())
        .getFirst();
  }

  private CertificateAuthority open(String passphrase, Instant now) {
    return CertificateAuthority.openOrCreate(directory, passphrase.toCharArray(), () -> now);
  }
}
