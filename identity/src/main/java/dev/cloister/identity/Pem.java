package dev.cloister.identity;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayInputStream;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Keys and certificates as text: RFC 7468. */
public final class Pem {
  public static final String CERTIFICATE = "CERTIFICATE";
  static final String PRIVATE_KEY = "PRIVATE KEY";
  public static final String ENCRYPTED_PRIVATE_KEY = "ENCRYPTED PRIVATE KEY";

  private static final Pattern BLOCK =
      Pattern.compile("-----BEGIN ([A-Z ]+)-----([A-Za-z0-9+/=\\s]*)-----END \\1-----");

  /** One labelled piece of DER. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  public record Block(String label, byte[] der) {
    @Override
    public String toString() {
      return "Block[label=" + label + "]";
    }
  }

  private Pem() {}

  public static byte[] encode(List<Block> blocks) {
    Base64.Encoder lines = Base64.getMimeEncoder(64, new byte[] {'\n'});
    StringBuilder text = new StringBuilder();
    for (Block block : blocks) {
      text.append("-----BEGIN ").append(block.label()).append("-----\n");
      text.append(lines.encodeToString(block.der())).append('\n');
      text.append("-----END ").append(block.label()).append("-----\n");
    }
    return text.toString().getBytes(US_ASCII);
  }

  /**
   * Returns the blocks of a text, which must have exactly these labels in this order.
   *
   * @throws InvalidIdentityException if it has not
   */
  public static List<byte[]> decode(byte[] text, List<String> labels) {
    List<String> found = new ArrayList<>();
    List<byte[]> contents = new ArrayList<>();
    Matcher matcher = BLOCK.matcher(new String(text, US_ASCII));
    try {
      while (matcher.find()) {
        found.add(matcher.group(1));
        contents.add(Base64.getMimeDecoder().decode(matcher.group(2)));
      }
    } catch (IllegalArgumentException e) {
      throw new InvalidIdentityException("PEM block is not base64", e);
    }
    if (!found.equals(labels)) {
      throw new InvalidIdentityException("PEM blocks are " + found + " (expected: " + labels + ")");
    }
    return contents;
  }

  public static Block block(X509Certificate certificate) {
    try {
      return new Block(CERTIFICATE, certificate.getEncoded());
    } catch (CertificateException e) {
      throw new IllegalArgumentException("certificate cannot be encoded", e);
    }
  }

  public static X509Certificate certificate(byte[] der) {
    try {
      return (X509Certificate)
          CertificateFactory.getInstance("X.509")
              .generateCertificate(new ByteArrayInputStream(der));
    } catch (CertificateException e) {
      throw new InvalidIdentityException("certificate cannot be read", e);
    }
  }

  public static PrivateKey privateKey(byte[] pkcs8) {
    try {
      return KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
    } catch (GeneralSecurityException e) {
      throw new InvalidIdentityException("private key cannot be read", e);
    }
  }
}
