package dev.cloister.agent.modelstore;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Pattern;

/** Digests, written as 64 lower-case hexadecimal digits. */
final class Sha256 {
  private static final Pattern FORMAT = Pattern.compile("[0-9a-f]{64}");

  private Sha256() {}

  static MessageDigest begin() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  static String end(MessageDigest digest) {
    return HexFormat.of().formatHex(digest.digest());
  }

  /** Returns the digest if it is one: names of files are made from it. */
  static String require(String sha256) {
    if (!FORMAT.matcher(sha256).matches()) {
      throw new IllegalArgumentException("not a SHA-256 digest (expected: 64 hexadecimal digits)");
    }
    return sha256;
  }
}
