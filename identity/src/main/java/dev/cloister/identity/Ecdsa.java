package dev.cloister.identity;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.spec.ECGenParameterSpec;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.sec.SECObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.operator.ContentSigner;

/**
 * The one signature scheme of the cluster, ECDSA with P-256 and SHA-256, done by the platform's
 * provider: loading the BouncyCastle provider would cost a start some 200 ms.
 */
final class Ecdsa {
  static final String SIGNATURE = "SHA256withECDSA";
  static final AlgorithmIdentifier SIGNATURE_ID =
      new AlgorithmIdentifier(X9ObjectIdentifiers.ecdsa_with_SHA256);
  static final ASN1ObjectIdentifier P256 = SECObjectIdentifiers.secp256r1;

  private static final byte[] CHALLENGE = {'c', 'l', 'o', 'i', 's', 't', 'e', 'r'};

  private Ecdsa() {}

  static KeyPair newKeyPair() {
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
  static void requireMatch(PrivateKey privateKey, PublicKey publicKey) {
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

  static ContentSigner signer(PrivateKey key) {
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    return new ContentSigner() {
      @Override
      public AlgorithmIdentifier getAlgorithmIdentifier() {
        return SIGNATURE_ID;
      }

      @Override
      public OutputStream getOutputStream() {
        return content;
      }

      @Override
      public byte[] getSignature() {
        try {
          Signature signature = Signature.getInstance(SIGNATURE);
          signature.initSign(key);
          signature.update(content.toByteArray());
          return signature.sign();
        } catch (InvalidKeyException | SignatureException e) {
          throw new IllegalArgumentException("key cannot sign with ECDSA", e);
        } catch (GeneralSecurityException e) {
          throw new IllegalStateException("the Java platform has no " + SIGNATURE, e);
        }
      }
    };
  }
}
