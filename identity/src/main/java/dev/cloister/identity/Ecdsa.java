package dev.cloister.identity;

import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;

/**
 * The one signature scheme of the cluster, ECDSA with P-256 and SHA-256, done by the platform's
 * provider: to load BouncyCastle's would slow every start.
 */
public final class Ecdsa {
  public static final String SIGNATURE = "SHA256withECDSA";
  private static final byte[] CHALLENGE = {'c', 'l', 'o', 'i', 's', 't', 'e', 'r'};

  private Ecdsa() {}

  public static KeyPair newKeyPair() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(new ECGenParameterSpec("secp256r1"));
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("the Java platform has no P-256", e);
    }
  }

  /**
   * Checks that the keys are a pair.
   *
   * @throws InvalidIdentityException if they are not
   */
  public static void requireMatch(PrivateKey privateKey, PublicKey publicKey) {
    try {
      Signature signature = Signature.getInstance(SIGNATURE);
      signature.initSign(privateKey);
      signature.update(CHALLENGE);
      byte[] answer = signature.sign();
      signature.initVerify(publicKey);
      signature.update(CHALLENGE);
      if (signature.verify(answer)) {
        return;
      }
    } catch (GeneralSecurityException e) {
      throw new InvalidIdentityException("private key or certificate is not P-256", e);
    }
    throw new InvalidIdentityException("private key does not belong to the certificate");
  }
}
