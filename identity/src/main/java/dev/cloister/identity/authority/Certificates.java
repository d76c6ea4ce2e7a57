package dev.cloister.identity.authority;

import dev.cloister.identity.EcdsaSigner;
import dev.cloister.identity.Pem;
import dev.cloister.identity.Quoted;
import dev.cloister.identity.Role;
import dev.cloister.identity.SpiffeId;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import java.util.regex.Pattern;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AuthorityKeyIdentifier;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.SubjectKeyIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509v3CertificateBuilder;

/**
 * The two kinds of certificate a cluster has, after RFC 5280 and the <a
 * href="https://spiffe.io/docs/latest/spiffe-specs/x509-svid/">X.509-SVID specification</a>.
 */
final class Certificates {
  private static final int SERIAL_BITS = 127;
  private static final int KEY_ID_BYTES = 20;
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final Pattern DNS_NAME =
      Pattern.compile("(?=.{1,253}$)[0-9A-Za-z]([0-9A-Za-z_-]*)(\\.[0-9A-Za-z][0-9A-Za-z_-]*)*");

  private Certificates() {}

  static X509Certificate root(KeyPair keys, String clusterId, Instant from, Instant until) {
    X500Name name = new X500Name("CN=Cloister " + clusterId);
    SubjectPublicKeyInfo key = SubjectPublicKeyInfo.getInstance(keys.getPublic().getEncoded());
    X509v3CertificateBuilder certificate = builder(name, from, until, name, key);
    try {
      certificate
          .addExtension(Extension.basicConstraints, true, new BasicConstraints(0))
          .addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign))
          .addExtension(
              Extension.subjectAlternativeName,
              false,
              new GeneralNames(uri(SpiffeId.rootUri(clusterId))))
          .addExtension(
              Extension.subjectKeyIdentifier, false, new SubjectKeyIdentifier(keyId(key)));
      return signed(certificate, keys.getPrivate());
    } catch (IOException e) {
      throw new UncheckedIOException("certificate cannot be encoded", e);
    }
  }

  static X509Certificate leaf(
      X509Certificate root,
      PrivateKey rootKey,
      SubjectPublicKeyInfo key,
      SpiffeId id,
      Instant from,
      Instant until,
      List<String> hosts) {
    X500Name issuer = X500Name.getInstance(root.getSubjectX500Principal().getEncoded());
    X500Name subject = new X500Name("CN=" + id.memberId());
    SubjectPublicKeyInfo issuerKey =
        SubjectPublicKeyInfo.getInstance(root.getPublicKey().getEncoded());
    List<GeneralName> names = new ArrayList<>();
    names.add(uri(id.toString()));
    hosts.forEach(host -> names.add(hostName(host)));
    X509v3CertificateBuilder certificate = builder(issuer, from, until, subject, key);
    try {
      certificate
          .addExtension(Extension.basicConstraints, true, new BasicConstraints(false))
          .addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature))
          .addExtension(Extension.extendedKeyUsage, false, purposes(id.role()))
          .addExtension(
              Extension.subjectAlternativeName,
              false,
              new GeneralNames(names.toArray(GeneralName[]::new)))
          .addExtension(Extension.subjectKeyIdentifier, false, new SubjectKeyIdentifier(keyId(key)))
          .addExtension(
              Extension.authorityKeyIdentifier,
              false,
              new AuthorityKeyIdentifier(keyId(issuerKey)));
      return signed(certificate, rootKey);
    } catch (IOException e) {
      throw new UncheckedIOException("certificate cannot be encoded", e);
    }
  }

  @SuppressWarnings("JavaUtilDate") // the builder's type
  private static X509v3CertificateBuilder builder(
      X500Name issuer, Instant from, Instant until, X500Name subject, SubjectPublicKeyInfo key) {
    return new X509v3CertificateBuilder(
        issuer,
        new BigInteger(SERIAL_BITS, RANDOM).setBit(SERIAL_BITS - 1),
        Date.from(from),
        Date.from(until),
        subject,
        key);
  }

  private static X509Certificate signed(X509v3CertificateBuilder certificate, PrivateKey key)
      throws IOException {
    return Pem.certificate(certificate.build(new EcdsaSigner(key)).getEncoded());
  }

  private static ExtendedKeyUsage purposes(Role role) {
    return switch (role) {
      case COORDINATOR, AGENT ->
          new ExtendedKeyUsage(
              new KeyPurposeId[] {KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth});
      case CLIENT, ADMIN -> new ExtendedKeyUsage(KeyPurposeId.id_kp_clientAuth);
    };
  }

  private static GeneralName uri(String uri) {
    return new GeneralName(GeneralName.uniformResourceIdentifier, uri);
  }

  private static GeneralName hostName(String host) {
    try {
      String address = InetAddress.ofLiteral(host).getHostAddress();
      return new GeneralName(GeneralName.iPAddress, address);
    } catch (IllegalArgumentException notAnAddress) {
      if (!DNS_NAME.matcher(host).matches()) {
        throw new IllegalArgumentException(
            "host is neither a DNS name nor an IP address: " + Quoted.text(host), notAnAddress);
      }
      return new GeneralName(GeneralName.dNSName, host);
    }
  }

  /** The first 160 bits of the key's SHA-256: RFC 7093, section 2, method 1. */
  private static byte[] keyId(SubjectPublicKeyInfo key) {
    try {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(key.getPublicKeyData().getOctets());
      return Arrays.copyOf(hash, KEY_ID_BYTES);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
