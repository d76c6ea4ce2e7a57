package dev.cloister.identity.token;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.cloister.identity.Base32Name;
import dev.cloister.identity.Quoted;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.Base64;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a newcomer is handed to join a cluster: where the coordinator is, how to recognise it, and a
 * secret that it redeems for a certificate.
 *
 * <p>As text: {@code clj1.<address>.<root pin>.<id>.<secret>}, with address, pin and secret in
 * base64url without padding. Every token has exactly one text. Arrays are copied in and out.
 *
 * @param address {@code host:port} of the coordinator; an IPv6 literal is in brackets
 * @param rootPin SHA-256 of the root certificate's SubjectPublicKeyInfo, 32 bytes
 * @param id public part, 10 characters of {@code a-z 2-7}
 * @param secret 32 random bytes; the coordinator keeps only their hash
 */
@SuppressWarnings("ArrayRecordComponent") // copied in and out, compared by content
public record JoinToken(String address, byte[] rootPin, String id, byte[] secret) {
  private static final String PREFIX = "clj1";
  private static final int PIN_BYTES = 32;
  private static final int SECRET_BYTES = 32;
  private static final int ID_LENGTH = 10;
  private static final int MAX_TEXT_LENGTH = 1024;
  private static final Pattern ID = Pattern.compile("[a-z2-7]{" + ID_LENGTH + "}");
  private static final Pattern ADDRESS =
      Pattern.compile("(\\[[0-9a-fA-F:.]{2,45}]|[0-9a-zA-Z._-]{1,253}):([1-9][0-9]{0,4})");

  /**
   * @throws InvalidJoinTokenException if a part is not as described
   */
  public JoinToken {
    requireAddress(address);
    require(rootPin.length == PIN_BYTES, "has a root pin that is not 32 bytes long");
    require(ID.matcher(id).matches(), "has an id that is not 10 characters of a-z 2-7");
    require(secret.length == SECRET_BYTES, "has a secret that is not 32 bytes long");
    rootPin = rootPin.clone();
    secret = secret.clone();
  }

  /**
   * Reads the text form; white space around it is ignored.
   *
   * @throws InvalidJoinTokenException if the text is not exactly what {@link #encode} returns
   */
  public static JoinToken parse(String text) {
    String token = text.strip();
    require(token.length() <= MAX_TEXT_LENGTH, "is too long to be one");
    String[] parts = token.split("\\.", -1);
    require(parts[0].equals(PREFIX), "does not start with \"clj1.\"");
    require(parts.length == 5, "does not have five parts: it may have been cut when copied");
    JoinToken parsed =
        new JoinToken(
            new String(decode(parts[1]), UTF_8), decode(parts[2]), parts[3], decode(parts[4]));
    // Base64 decoders ignore the unused bits of the last character, which would let several texts
    // stand for one token.
    require(parsed.encode().equals(token), "is damaged");
    return parsed;
  }

  /** Returns the text form. It contains the secret: it is for the newcomer's eyes only. */
  public String encode() {
    Base64.Encoder base64 = Base64.getUrlEncoder().withoutPadding();
    return String.join(
        ".",
        PREFIX,
        base64.encodeToString(address.getBytes(UTF_8)),
        base64.encodeToString(rootPin),
        id,
        base64.encodeToString(secret));
  }

  @Override
  public byte[] rootPin() {
    return rootPin.clone();
  }

  @Override
  public byte[] secret() {
    return secret.clone();
  }

  /** Returns a new secret. */
  public static byte[] newSecret(SecureRandom random) {
    byte[] secret = new byte[SECRET_BYTES];
    random.nextBytes(secret);
    return secret;
  }

  /** Returns a new id. */
  public static String newId(SecureRandom random) {
    return Base32Name.random(random, ID_LENGTH);
  }

  /** Returns the pin of a root certificate: SHA-256 of its SubjectPublicKeyInfo, 32 bytes. */
  public static byte[] pinOf(X509Certificate root) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(root.getPublicKey().getEncoded());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof JoinToken that
        && address.equals(that.address)
        && id.equals(that.id)
        && Arrays.equals(rootPin, that.rootPin)
        && MessageDigest.isEqual(secret, that.secret);
  }

  @Override
  public int hashCode() {
    return Objects.hash(address, id, Arrays.hashCode(rootPin));
  }

  @Override
  public String toString() {
    return "JoinToken[address=" + address + ", id=" + id + ", secret=hidden]";
  }

  private static void requireAddress(String address) {
    Matcher matcher = ADDRESS.matcher(address);
    require(
        matcher.matches()
            && Integer.parseInt(matcher.group(2)) <= 65535
            && (!address.startsWith("[") || isIpv6(matcher.group(1))),
        "has an address that is not host:port: " + Quoted.text(address));
  }

  private static boolean isIpv6(String bracketed) {
    try {
      // An IPv4-mapped literal parses to an IPv4 address, which has no business in brackets.
      return InetAddress.ofLiteral(bracketed.substring(1, bracketed.length() - 1))
          instanceof Inet6Address;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  private static byte[] decode(String part) {
    try {
      return Base64.getUrlDecoder().decode(part);
    } catch (IllegalArgumentException e) {
      throw new InvalidJoinTokenException("has a part that is not base64url");
    }
  }

  private static void require(boolean condition, String reason) {
    if (!condition) {
      throw new InvalidJoinTokenException(reason);
    }
  }
}
