package dev.cloister.identity.authority;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.cloister.identity.EcdsaSigner;
import dev.cloister.identity.MemberKey;
import dev.cloister.identity.Role;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.pkcs.CertificationRequest;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.ExtensionsGenerator;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.pkcs.PKCS10CertificationRequestBuilder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SigningRequestTest {
  private final CertificateAuthority authority;
  private final KeyPair keys = MemberKey.generate();

  SigningRequestTest(@TempDir Path directory) {
    authority =
        CertificateAuthority.openOrCreate(
            directory.resolve("ca"),
            "a long passphrase opens the key without delay".toCharArray(),
            () -> Instant.EPOCH);
  }

  @Test
  void whatTheRequestAsksForIsIgnored() throws Exception {
    ExtensionsGenerator wishes = new ExtensionsGenerator();
    wishes.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
    wishes.addExtension(
        Extension.subjectAlternativeName,
        false,
        new GeneralNames(
            new GeneralName(
                GeneralName.uniformResourceIdentifier,
                "spiffe://" + authority.clusterId() + "/admin/root")));
    byte[] request =
        new PKCS10CertificationRequestBuilder(
                new X500Name("CN=admin"), SubjectPublicKeyInfo.getInstance(publicKey()))
            .addAttribute(PKCSObjectIdentifiers.pkcs_9_at_extensionRequest, wishes.generate())
            .build(new EcdsaSigner(keys.getPrivate()))
            .getEncoded();

    X509Certificate leaf = issue(request);

    assertThat(leaf.getSubjectX500Principal().getName()).isEqualTo("CN=pc-7");
    assertThat(leaf.getBasicConstraints()).isEqualTo(-1);
    assertThat(requireNonNull(leaf.getSubjectAlternativeNames()))
        .containsExactly(List.of(6, "spiffe://" + authority.clusterId() + "/agent/pc-7"));
  }

  @Test
  void noAlteredBitIsAccepted() {
    byte[] request = MemberKey.signingRequest(keys);
    for (int bit = 0; bit < request.length * 8; bit++) {
      byte[] altered = request.clone();
      altered[bit / 8] ^= (byte) (1 << bit % 8);
      assertThat(catchThrowable(() -> issue(altered)))
          .as("bit %d of byte %d", bit % 8, bit / 8)
          .isInstanceOf(InvalidSigningRequestException.class);
    }
  }

  @Test
  void aRequestForSomebodyElsesKeyIsRefused() throws Exception {
    KeyPair thief = MemberKey.generate();
    byte[] request =
        new PKCS10CertificationRequestBuilder(
                new X500Name(""), SubjectPublicKeyInfo.getInstance(publicKey()))
            .build(new EcdsaSigner(thief.getPrivate()))
            .getEncoded();

    assertThatThrownBy(() -> issue(request))
        .isInstanceOf(InvalidSigningRequestException.class)
        .hasMessage("signing request is not signed with its own key");
  }

  @Test
  void otherKeysThanP256AreRefused() throws Exception {
    KeyPairGenerator rsa = KeyPairGenerator.getInstance("RSA");
    rsa.initialize(2048);
    KeyPairGenerator p384 = KeyPairGenerator.getInstance("EC");
    p384.initialize(new ECGenParameterSpec("secp384r1"));
    for (KeyPair other : List.of(rsa.generateKeyPair(), p384.generateKeyPair())) {
      byte[] request = requestWith(other.getPublic().getEncoded());
      assertThatThrownBy(() -> issue(request))
          .isInstanceOf(InvalidSigningRequestException.class)
          .hasMessageContaining("P-256");
    }
  }

  @Test
  void aPointOffTheCurveIsRefused() throws Exception {
    byte[] key = publicKey();
    key[key.length - 1] ^= 1;
    byte[] request = requestWith(key);

    assertThatThrownBy(() -> issue(request))
        .isInstanceOf(InvalidSigningRequestException.class)
        .hasMessageContaining("no point of P-256");
  }

  @Test
  void garbageIsRefused() {
    byte[] request = MemberKey.signingRequest(keys);
    byte[] trailing = Arrays.copyOf(request, request.length + 1);
    for (byte[] garbage :
        List.of(new byte[0], new byte[10], new byte[] {0x30, 0}, new byte[100_000], trailing)) {
      assertThatThrownBy(() -> issue(garbage)).isInstanceOf(InvalidSigningRequestException.class);
    }
  }

  @Test
  void aSignatureByAnotherSchemeIsRefused() throws Exception {
    CertificationRequest right = CertificationRequest.getInstance(MemberKey.signingRequest(keys));
    byte[] signed = right.getCertificationRequestInfo().getEncoded(ASN1Encoding.DER);
    Signature sha1 = Signature.getInstance("SHA1withECDSA");
    sha1.initSign(keys.getPrivate());
    sha1.update(signed);
    ASN1EncodableVector parts = new ASN1EncodableVector();
    parts.add(right.getCertificationRequestInfo());
    parts.add(new AlgorithmIdentifier(X9ObjectIdentifiers.ecdsa_with_SHA1));
    parts.add(new DERBitString(sha1.sign()));
    byte[] request = new DERSequence(parts).getEncoded();

    assertThatThrownBy(() -> issue(request))
        .isInstanceOf(InvalidSigningRequestException.class)
        .hasMessageContaining("SHA-256");
  }

  private byte[] publicKey() {
    return keys.getPublic().getEncoded();
  }

  private byte[] requestWith(byte[] publicKey) throws Exception {
    return new PKCS10CertificationRequestBuilder(
            new X500Name(""), SubjectPublicKeyInfo.getInstance(publicKey))
        .build(new EcdsaSigner(keys.getPrivate()))
        .getEncoded();
  }

  private X509Certificate issue(byte[] request) {
    return authority.issue(request, Role.AGENT, "pc-7", Duration.ofDays(1), List.of()).getFirst();
  }
}
