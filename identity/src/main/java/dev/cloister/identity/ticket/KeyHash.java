package dev.cloister.identity.ticket;

import dev.cloister.identity.token.JoinToken;
import java.security.cert.X509Certificate;
import java.util.HexFormat;
import java.util.regex.Pattern;

/**
 * Which key a member has: SHA-256 of its SubjectPublicKeyInfo.
 *
 * @param hex 64 lower-case hexadecimal digits
 */
public record KeyHash(String hex) {
  private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

  /**
   * @throws IllegalArgumentException if it is no such hash
   */
  public KeyHash {
    if (!SHA256.matcher(hex).matches()) {
      throw new IllegalArgumentException(
          "key hash is malformed (expected: 64 lower-case hexadecimal digits)");
    }
  }

  /** Returns the hash of the key that a certificate is for. */
  public static KeyHash of(X509Certificate certificate) {
    return of(JoinToken.pinOf(certificate));
  }

  /**
   * Returns the hash with these bytes.
   *
   * @throws IllegalArgumentException if they are not 32
   */
  public static KeyHash of(byte[] sha256) {
    return new KeyHash(HexFormat.of().formatHex(sha256));
  }

  /** Returns the 32 bytes. */
  public byte[] bytes() {
    return HexFormat.of().parseHex(hex);
  }
}
