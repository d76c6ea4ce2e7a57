package dev.cloister.identity.authority;

import dev.cloister.identity.Ecdsa;
import dev.cloister.identity.EcdsaSigner;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.pkcs.CertificationRequest;
import org.bouncycastle.asn1.sec.SECNamedCurves;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;

/** The only two things taken from a PKCS#10 request: its key, and the proof that it is owned. */
final class SigningRequest {
  private static final int MAX_BYTES = 8192;

  private SigningRequest() {}

  /**
   * Returns the P-256 key of a request whose signature is right.
   *
   * @throws InvalidSigningRequestException if it is anything else
   */
  static SubjectPublicKeyInfo verifiedKey(byte[] pkcs10Der) {
    if (pkcs10Der.length > MAX_BYTES) {
      throw new InvalidSigningRequestException(
          "signing request is longer than " + MAX_BYTES + " bytes");
    }
    CertificationRequest request;
    byte[] signed;
    byte[] proof;
    byte[] canonical;
    try {
      request = CertificationRequest.getInstance(pkcs10Der);
      signed = request.getCertificationRequestInfo().getEncoded(ASN1Encoding.DER);
      proof = request.getSignature().getOctets();
      canonical = request.getEncoded(ASN1Encoding.DER);
    } catch (RuntimeException | IOException e) {
      throw new InvalidSigningRequestException("signing request is not PKCS#10 in DER", e);
    }
    // The parser is lenient and the signature is checked over its own encoding, so that without
    // this
    // several byte strings would pass for one request.
    if (!Arrays.equals(canonical, pkcs10Der)) {
      throw new InvalidSigningRequestException("signing request is not in DER");
    }
    SubjectPublicKeyInfo key = request.getCertificationRequestInfo().getSubjectPublicKeyInfo();
    requireP256(key);
    if (!request
        .getSignatureAlgorithm()
        .getAlgorithm()
        .equals(EcdsaSigner.SIGNATURE_ID.getAlgorithm())) {
      throw new InvalidSigningRequestException(
          "signing request is not signed with ECDSA and SHA-256");
    }
    if (!verifies(key, signed, proof)) {
      throw new InvalidSigningRequestException("signing request is not signed with its own key");
    }
    return key;
  }

  private static void requireP256(SubjectPublicKeyInfo key) {
    AlgorithmIdentifier algorithm = key.getAlgorithm();
    if (!algorithm.getAlgorithm().equals(X9ObjectIdentifiers.id_ecPublicKey)
        || !EcdsaSigner.P256.equals(algorithm.getParameters())) {
      throw new InvalidSigningRequestException("signing request's key is not on the curve P-256");
    }
    try {
      // The platform's key factory does not look whether a point lies on the curve; this does.
      SECNamedCurves.getByOID(EcdsaSigner.P256)
          .getCurve()
          .decodePoint(key.getPublicKeyData().getOctets());
    } catch (RuntimeException e) {
      throw new InvalidSigningRequestException("signing request's key is no point of P-256", e);
    }
  }

  private static boolean verifies(SubjectPublicKeyInfo key, byte[] signed, byte[] proof) {
    try {
      Signature signature = Signature.getInstance(Ecdsa.SIGNATURE);
      signature.initVerify(
          KeyFactory.getInstance("EC").generatePublic(new X509EncodedKeySpec(key.getEncoded())));
      signature.update(signed);
      return signature.verify(proof);
    } catch (GeneralSecurityException | IOException e) {
      return false;
    }
  }
}
