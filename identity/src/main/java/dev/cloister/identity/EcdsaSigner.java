package dev.cloister.identity;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Signature;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.sec.SECObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.operator.ContentSigner;

/** Signs what BouncyCastle builds, with {@link Ecdsa}. For one use. */
public final class EcdsaSigner implements ContentSigner {
  public static final AlgorithmIdentifier SIGNATURE_ID =
      new AlgorithmIdentifier(X9ObjectIdentifiers.ecdsa_with_SHA256);
  public static final ASN1ObjectIdentifier P256 = SECObjectIdentifiers.secp256r1;

  private final ByteArrayOutputStream content = new ByteArrayOutputStream();
  private final PrivateKey key;

  public EcdsaSigner(PrivateKey key) {
    this.key = key;
  }

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
      Signature signature = Signature.getInstance(Ecdsa.SIGNATURE);
      signature.initSign(key);
      signature.update(content.toByteArray());
      return signature.sign();
    } catch (GeneralSecurityException e) {
      throw new IllegalArgumentException("key cannot sign with " + Ecdsa.SIGNATURE, e);
    }
  }
}
