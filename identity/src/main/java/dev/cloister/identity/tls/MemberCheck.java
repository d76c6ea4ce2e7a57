package dev.cloister.identity.tls;

import dev.cloister.identity.IdentitySource;
import dev.cloister.identity.Role;
import dev.cloister.identity.SpiffeId;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import org.jspecify.annotations.Nullable;

/** Accepts members of the own cluster, of one role or of all. */
final class MemberCheck extends PeerCheck {
  private final IdentitySource own;
  private final @Nullable Role expected;

  MemberCheck(IdentitySource own, @Nullable Role expected) {
    this.own = own;
    this.expected = expected;
  }

  @Override
  void check(X509Certificate[] chain, String purpose) throws CertificateException {
    SpiffeId id = verify(chain, own.current().root(), purpose);
    if (expected != null && id.role() != expected) {
      throw new CertificateException(
          "peer is " + id + " (expected role: " + expected.segment() + ")");
    }
  }
}
