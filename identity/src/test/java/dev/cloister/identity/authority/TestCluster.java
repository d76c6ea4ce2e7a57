package dev.cloister.identity.authority;

import dev.cloister.identity.Identity;
import dev.cloister.identity.MemberKey;
import dev.cloister.identity.Pem;
import dev.cloister.identity.PrivateFiles;
import dev.cloister.identity.Role;
import dev.cloister.identity.SpiffeId;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;

/** A cluster of its own, whose authority believes in a settable time. */
public final class TestCluster {
  public static final Duration DAY = Duration.ofDays(1);

  private static final String PASSPHRASE = "a long passphrase opens the key without delay";

  private final Path directory;
  private final AtomicReference<Instant> now;
  private final CertificateAuthority authority;

  public TestCluster(Path parent) {
    directory = parent.resolve("ca");
    now = new AtomicReference<>(Instant.now().minus(DAY.multipliedBy(30)));
    authority = CertificateAuthority.openOrCreate(directory, PASSPHRASE.toCharArray(), now::get);
    now.set(Instant.now());
  }

  public CertificateAuthority authority() {
    return authority;
  }

  public Identity member(Role role, String id) {
    return member(role, id, Instant.now());
  }

  public Identity member(Role role, String id, Instant issued) {
    now.set(issued);
    KeyPair keys = MemberKey.generate();
    return new Identity(
        keys.getPrivate(),
        authority.issue(MemberKey.signingRequest(keys), role, id, DAY, List.of()));
  }

  /** Returns a certificate that the authority would never issue, for any name at all. */
  public X509Certificate signWithRoot(KeyPair keys, SpiffeId id) {
    Instant start = Instant.now().minus(DAY);
    return Certificates.leaf(
        authority.root(),
        rootKey(),
        SubjectPublicKeyInfo.getInstance(keys.getPublic().getEncoded()),
        id,
        start,
        start.plus(DAY.multipliedBy(2)),
        List.of());
  }

  private PrivateKey rootKey() {
    byte[] text = PrivateFiles.read(directory.resolve(CertificateAuthority.KEY_FILE));
    List<String> labels = List.of(Pem.ENCRYPTED_PRIVATE_KEY, Pem.CERTIFICATE);
    try {
      return RootKeyCipher.decrypt(Pem.decode(text, labels).getFirst(), PASSPHRASE.toCharArray());
    } catch (GeneralSecurityException | IOException e) {
      throw new AssertionError(e);
    }
  }

  /** Returns a certificate for the key that the issuer signed, whether it may or not. */
  public static X509Certificate forge(
      Identity issuer, KeyPair keys, SpiffeId id, X509Certificate issuingCertificate) {
    Instant now = Instant.now();
    return Certificates.leaf(
        issuingCertificate,
        issuer.key(),
        SubjectPublicKeyInfo.getInstance(keys.getPublic().getEncoded()),
        id,
        now.minus(DAY),
        now.plus(DAY),
        List.of());
  }
}
