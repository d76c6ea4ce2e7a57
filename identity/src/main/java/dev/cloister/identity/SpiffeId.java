package dev.cloister.identity;

import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name of a member: {@code spiffe://<cluster-id>/<role>/<member-id>}.
 *
 * <p>Stricter than the <a href="https://spiffe.io/docs/latest/spiffe-specs/spiffe-id/">SPIFFE ID
 * specification</a>: both ids are 1 to 63 characters of {@code a-z 0-9 . _ -}, start with a letter
 * or digit, and there is exactly one spelling of each name, so that names can be compared as text.
 *
 * @param clusterId the trust domain, made with the cluster's root certificate
 * @param role what the member is
 * @param memberId unique among the members of that role
 */
public record SpiffeId(String clusterId, Role role, String memberId) {
  private static final String SCHEME = "spiffe://";
  private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9._-]{0,62}");
  private static final Pattern URI = Pattern.compile("spiffe://([^/]*)/([^/]*)/([^/]*)");
  private static final int SAN_TYPE_URI = 6;

  /**
   * @throws InvalidIdentityException if an id is not within the grammar
   */
  public SpiffeId {
    requireName("cluster id", clusterId);
    requireName("member id", memberId);
  }

  /**
   * Reads the URI form.
   *
   * @throws InvalidIdentityException if the text is anything but that form
   */
  public static SpiffeId parse(String uri) {
    Matcher matcher = URI.matcher(uri);
    if (!matcher.matches()) {
      throw new InvalidIdentityException(
          "identity is not of the form spiffe://<cluster-id>/<role>/<member-id>: "
              + Quoted.text(uri));
    }
    return new SpiffeId(matcher.group(1), Role.parse(matcher.group(2)), matcher.group(3));
  }

  /**
   * Reads the name out of a member's certificate. Says nothing about whether the certificate is to
   * be trusted.
   *
   * @throws InvalidIdentityException if it has not exactly one URI among its alternative names, or
   *     that is not a member's name
   */
  public static SpiffeId of(X509Certificate certificate) {
    return parse(onlyUri(certificate));
  }

  /**
   * Reads the cluster id out of a root certificate, whose one URI is {@code spiffe://<cluster-id>}.
   *
   * @throws InvalidIdentityException if it has no such URI, or more than one
   */
  public static String clusterId(X509Certificate root) {
    String uri = onlyUri(root);
    if (!uri.startsWith(SCHEME)) {
      throw new InvalidIdentityException(
          "root certificate is not named spiffe://<cluster-id>: " + Quoted.text(uri));
    }
    return requireName("cluster id", uri.substring(SCHEME.length()));
  }

  /** Returns the URI that a root certificate of this cluster carries. */
  public static String rootUri(String clusterId) {
    return SCHEME + requireName("cluster id", clusterId);
  }

  @Override
  public String toString() {
    return SCHEME + clusterId + '/' + role.segment() + '/' + memberId;
  }

  private static String onlyUri(X509Certificate certificate) {
    Collection<List<?>> names;
    try {
      names = certificate.getSubjectAlternativeNames();
    } catch (CertificateParsingException e) {
      throw new InvalidIdentityException("certificate's alternative names cannot be read", e);
    }
    List<String> uris =
        names == null
            ? List.of()
            : names.stream()
                .filter(name -> name.getFirst().equals(SAN_TYPE_URI))
                .map(name -> String.valueOf(name.get(1)))
                .toList();
    if (uris.size() != 1) {
      throw new InvalidIdentityException(
          "certificate carries " + uris.size() + " URI names (expected: exactly 1)");
    }
    return uris.getFirst();
  }

  private static String requireName(String what, String name) {
    if (!NAME.matcher(name).matches()) {
      throw new InvalidIdentityException(
          what + " is not 1 to 63 characters of a-z 0-9 . _ -: " + Quoted.text(name));
    }
    return name;
  }
}
