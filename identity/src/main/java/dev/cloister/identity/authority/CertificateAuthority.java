package dev.cloister.identity.authority;

import dev.cloister.identity.Base32Name;
import dev.cloister.identity.Ecdsa;
import dev.cloister.identity.InvalidIdentityException;
import dev.cloister.identity.Pem;
import dev.cloister.identity.PrivateFileException;
import dev.cloister.identity.PrivateFiles;
import dev.cloister.identity.Role;
import dev.cloister.identity.SpiffeId;
import dev.cloister.identity.token.JoinToken;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;

/**
 * The cluster's certificate authority: one P-256 root that signs the certificates of all members.
 *
 * <p>Its directory holds {@code root.key}, the root's key under a passphrase together with the root
 * certificate, and {@code root.crt}, a copy of the certificate for people and tools. The key file
 * holds both so that they appear in one step; a missing {@code root.crt} is written again.
 *
 * <p>Thread-safe. Only one process may create a directory's authority at a time; opening one is not
 * restricted.
 */
public final class CertificateAuthority {
  static final String KEY_FILE = "root.key";
  private static final String CERTIFICATE_FILE = "root.crt";
  private static final int CLUSTER_ID_LENGTH = 16;
  private static final int ROOT_LIFETIME_DAYS = 3652;
  private static final Duration CLOCK_SKEW = Duration.ofMinutes(5);

  private final PrivateKey key;
  private final X509Certificate root;
  private final String clusterId;
  private final InstantSource clock;

  private CertificateAuthority(PrivateKey key, X509Certificate root, InstantSource clock) {
    this.key = key;
    this.root = root;
    this.clusterId = SpiffeId.clusterId(root);
    this.clock = clock;
  }

  /**
   * Opens the authority in a directory, or makes a new one, and with it a new cluster, if the
   * directory is empty of one.
   *
   * @param passphrase of the root key, see {@link PassphraseSource}; not kept
   * @param clock decides from when until when certificates are valid
   * @throws PrivateFileException if a file is open to others, damaged or missing, or the passphrase
   *     is wrong
   */
  public static CertificateAuthority openOrCreate(
      Path directory, char[] passphrase, InstantSource clock) {
    PrivateFiles.createDirectory(directory);
    Path keyFile = directory.resolve(KEY_FILE);
    Path certificateFile = directory.resolve(CERTIFICATE_FILE);
    CertificateAuthority authority;
    if (Files.exists(keyFile)) {
      authority = open(keyFile, passphrase, clock);
    } else if (Files.exists(certificateFile)) {
      throw new PrivateFileException(
          keyFile
              + " is missing although "
              + CERTIFICATE_FILE
              + " is there; restore it from a backup, or remove "
              + CERTIFICATE_FILE
              + " to start a new cluster");
    } else {
      authority = create(keyFile, passphrase, clock);
    }
    if (!Files.exists(certificateFile)) {
      PrivateFiles.write(certificateFile, Pem.encode(List.of(Pem.block(authority.root))));
    }
    return authority;
  }

  /** Returns the id of the cluster, made at random with its root. */
  public String clusterId() {
    return clusterId;
  }

  /** Returns the root certificate. */
  public X509Certificate root() {
    return root;
  }

  /** Returns what a join token pins: SHA-256 of the root's SubjectPublicKeyInfo. */
  public byte[] rootPin() {
    return JoinToken.pinOf(root);
  }

  /**
   * Signs a member's key. Name, role and rights come from the arguments; from the request come only
   * the key and the proof that the caller owns it.
   *
   * <p>The certificate is valid from five minutes ago, for clocks that are behind, and not beyond
   * the root's own end.
   *
   * @param pkcs10Der as made by {@link MemberKey#signingRequest}
   * @param lifetime counted from now
   * @param hosts DNS names and IP addresses at which browsers reach a coordinator; empty for
   *     everybody else
   * @return the new certificate, then the root
   * @throws InvalidSigningRequestException if the request is malformed, its signature wrong or its
   *     key not P-256
   * @throws InvalidIdentityException if the member id is not within the grammar
   * @throws IllegalArgumentException if a host is neither name nor address, or was given to a role
   *     that has none, or the lifetime is not positive
   * @throws IllegalStateException if the root has expired
   */
  public List<X509Certificate> issue(
      byte[] pkcs10Der, Role role, String memberId, Duration lifetime, List<String> hosts) {
    if (!lifetime.isPositive()) {
      throw new IllegalArgumentException("lifetime: " + lifetime + " (expected: > 0)");
    }
    if (role != Role.COORDINATOR && !hosts.isEmpty()) {
      throw new IllegalArgumentException("hosts: " + hosts + " (expected: none for " + role + ")");
    }
    SpiffeId id = new SpiffeId(clusterId, role, memberId);
    SubjectPublicKeyInfo memberKey = SigningRequest.verifiedKey(pkcs10Der);
    Instant now = now(clock);
    Instant rootEnd = root.getNotAfter().toInstant();
    if (!now.isBefore(rootEnd)) {
      throw new IllegalStateException("root certificate expired at " + rootEnd);
    }
    Instant wanted = now.plus(lifetime);
    Instant end = wanted.isBefore(rootEnd) ? wanted : rootEnd;
    X509Certificate leaf =
        Certificates.leaf(root, key, memberKey, id, now.minus(CLOCK_SKEW), end, hosts);
    return List.of(leaf, root);
  }

  private static CertificateAuthority create(Path keyFile, char[] passphrase, InstantSource clock) {
    KeyPair keys = Ecdsa.newKeyPair();
    Instant now = now(clock);
    X509Certificate root =
        Certificates.root(
            keys,
            Base32Name.random(new SecureRandom(), CLUSTER_ID_LENGTH),
            now.minus(CLOCK_SKEW),
            now.plus(ROOT_LIFETIME_DAYS, ChronoUnit.DAYS));
    byte[] encrypted = RootKeyCipher.encrypt(keys.getPrivate(), passphrase);
    PrivateFiles.write(
        keyFile,
        Pem.encode(List.of(new Pem.Block(Pem.ENCRYPTED_PRIVATE_KEY, encrypted), Pem.block(root))));
    return new CertificateAuthority(keys.getPrivate(), root, clock);
  }

  private static CertificateAuthority open(Path keyFile, char[] passphrase, InstantSource clock) {
    byte[] text = PrivateFiles.read(keyFile);
    byte[] encrypted;
    X509Certificate root;
    try {
      List<byte[]> blocks = Pem.decode(text, List.of(Pem.ENCRYPTED_PRIVATE_KEY, Pem.CERTIFICATE));
      encrypted = blocks.getFirst();
      root = Pem.certificate(blocks.getLast());
      SpiffeId.clusterId(root);
    } catch (InvalidIdentityException e) {
      throw damaged(keyFile, e);
    }
    try {
      PrivateKey key = RootKeyCipher.decrypt(encrypted, passphrase);
      Ecdsa.requireMatch(key, root.getPublicKey());
      return new CertificateAuthority(key, root, clock);
    } catch (GeneralSecurityException | InvalidIdentityException e) {
      throw new PrivateFileException(
          "passphrase does not open " + keyFile + "; supply the one it was created with", e);
    } catch (IOException e) {
      throw damaged(keyFile, e);
    }
  }

  private static PrivateFileException damaged(Path keyFile, Exception cause) {
    return new PrivateFileException(keyFile + " is damaged; restore it from a backup", cause);
  }

  /** Certificates count in seconds. */
  private static Instant now(InstantSource clock) {
    return clock.instant().truncatedTo(ChronoUnit.SECONDS);
  }
}
