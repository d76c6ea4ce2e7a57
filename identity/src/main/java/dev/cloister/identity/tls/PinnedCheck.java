package dev.cloister.identity.tls;

import dev.cloister.identity.Role;
import dev.cloister.identity.SpiffeId;
import dev.cloister.identity.token.JoinToken;
import java.security.MessageDigest;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;

/** Accepts the coordinator of the one cluster whose root has the pinned key. */
final class PinnedCheck extends PeerCheck {
  private final byte[] rootPin;

  PinnedCheck(byte[] rootPin) {
    this.rootPin = rootPin.clone();
  }

  @Override
  void check(X509Certificate[] chain, String purpose) throws CertificateException {
    X509Certificate root = chain[chain.length - 1];
    if (!MessageDigest.isEqual(JoinToken.pinOf(root), rootPin)) {
      throw new PinMismatchException();
    }
    SpiffeId id = verify(chain, root, purpose);
    if (id.role() != Role.COORDINATOR) {
      throw new CertificateException("peer is " + id + " (expected role: coordinator)");
    }
  }
}
