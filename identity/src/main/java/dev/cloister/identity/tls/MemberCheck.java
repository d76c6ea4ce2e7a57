package dev.cloister.identity.tls;

import dev.cloister.identity.IdentitySource;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;

/** Accepts members of the own cluster that are expected. */
final class MemberCheck extends PeerCheck {
  private final IdentitySource own;
  private final Expectation expected;

  MemberCheck(IdentitySource own, Expectation expected) {
    this.own = own;
    this.expected = expected;
  }

  @Override
  void check(X509Certificate[] chain, String purpose) throws CertificateException {
    var _ = verify(chain, own.current().root(), purpose);
    expected.check(chain[0]);
  }

  /** Which members. */
  @FunctionalInterface
  interface Expectation {
    /** Refuses a member whose certificate was found to be one of the cluster. */
    void check(X509Certificate leaf) throws CertificateException;
  }
}
