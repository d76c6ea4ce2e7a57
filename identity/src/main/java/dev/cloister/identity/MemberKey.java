package dev.cloister.identity;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.KeyPair;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.pkcs.PKCS10CertificationRequestBuilder;

/** A member's own key: made where it is used, and never sent anywhere. */
public final class MemberKey {
  private static final X500Name NO_NAME = new X500Name("");

  private MemberKey() {}

  /** Returns a new P-256 key pair. */
  public static KeyPair generate() {
    return Ecdsa.newKeyPair();
  }

  /**
   * Returns a PKCS#10 request (RFC 2986) in DER, signed with the key to prove its possession. It
   * names nobody: the authority decides the name.
   */
  public static byte[] signingRequest(KeyPair keys) {
    try {
      return new PKCS10CertificationRequestBuilder(
              NO_NAME, SubjectPublicKeyInfo.getInstance(keys.getPublic().getEncoded()))
          .build(new EcdsaSigner(keys.getPrivate()))
          .getEncoded();
    } catch (IOException e) {
      throw new UncheckedIOException("signing request cannot be encoded", e);
    }
  }
}
