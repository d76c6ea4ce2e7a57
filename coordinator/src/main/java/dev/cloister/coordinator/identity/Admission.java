package dev.cloister.coordinator.identity;

import dev.cloister.identity.Role;
import dev.cloister.identity.SpiffeId;
import dev.cloister.identity.authority.CertificateAuthority;
import dev.cloister.identity.authority.InvalidSigningRequestException;
import dev.cloister.identity.token.JoinToken;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes join tokens and turns them into members. Thread-safe. */
public final class Admission {
  private static final Logger log = LoggerFactory.getLogger(Admission.class);

  /** How long a certificate lives; members renew theirs at half of it. */
  public static final Duration CERTIFICATE_LIFETIME = Duration.ofHours(24);

  public static final Duration LONGEST_TOKEN_LIFETIME = Duration.ofDays(30);
  public static final int MOST_TOKEN_USES = 10_000;

  private static final int NAME_LENGTH = 63;

  private final CertificateAuthority authority;
  private final TokenRecords tokens;
  private final InstantSource clock;
  private final Consumer<Member> joined;
  private final SecureRandom random = new SecureRandom();

  /**
   * @param joined is told of every new member, after it was recorded
   */
  public Admission(
      CertificateAuthority authority,
      TokenRecords tokens,
      InstantSource clock,
      Consumer<Member> joined) {
    this.authority = authority;
    this.tokens = tokens;
    this.clock = clock;
    this.joined = joined;
  }

  /** A token just made: the only moment its secret is known. */
  public record NewToken(JoinToken token, Instant expiresAt) {}

  /**
   * Makes a join token.
   *
   * @param address where members reach the coordinator, {@code host:port}
   * @throws IllegalArgumentException if something is out of range; the message is for the caller
   */
  public NewToken createToken(Role role, Duration lifetime, int uses, String address) {
    if (role == Role.COORDINATOR) {
      throw new IllegalArgumentException("role is coordinator (expected: agent, client or admin)");
    }
    if (lifetime.compareTo(Duration.ofSeconds(1)) < 0
        || lifetime.compareTo(LONGEST_TOKEN_LIFETIME) > 0) {
      throw new IllegalArgumentException(
          "lifetime is " + lifetime + " (expected: 1 second to 30 days)");
    }
    if (uses < 1 || uses > MOST_TOKEN_USES) {
      throw new IllegalArgumentException(
          "uses is " + uses + " (expected: 1 to " + MOST_TOKEN_USES + ")");
    }
    Instant now = now();
    byte[] secret = JoinToken.newSecret(random);
    String id = JoinToken.newId(random);
    tokens.add(new StoredToken(id, role, now, now.plus(lifetime), uses, false), sha256(secret));
    log.info("join token {} for role {} was created, {} uses", id, role.segment(), uses);
    return new NewToken(
        new JoinToken(address, authority.rootPin(), id, secret), now.plus(lifetime));
  }

  /** All tokens, the newest first. */
  public List<StoredToken> tokens() {
    return tokens.all();
  }

  /**
   * @return false if there is no such token
   */
  public boolean revokeToken(String id) {
    return tokens.revoke(id);
  }

  /**
   * Redeems a token.
   *
   * @return the certificate chain of the new member
   * @throws InvalidSigningRequestException if the request is malformed; the token keeps its use
   * @throws AdmissionRefusedException if the token is not good
   */
  public List<X509Certificate> enroll(
      String tokenId, byte[] secret, byte[] signingRequest, String name) {
    Optional<StoredToken> stored = tokens.find(tokenId);
    Role role = stored.map(StoredToken::role).orElse(Role.AGENT);
    String memberId = JoinToken.newId(random);
    // Before the token is touched: a malformed request must not cost a use.
    List<X509Certificate> chain =
        authority.issue(signingRequest, role, memberId, CERTIFICATE_LIFETIME, List.of());
    Optional<Member> member =
        tokens.redeem(tokenId, sha256(secret), memberId, cleanName(name), now());
    if (member.isEmpty()) {
      // Read again: of many racing callers, the last use may have gone since.
      String reason = refusal(tokens.find(tokenId));
      log.warn("join token {} was refused: {}", stored.map(StoredToken::id).orElse("?"), reason);
      throw new AdmissionRefusedException(reason);
    }
    log.info("{} {} joined as {}", role.segment(), member.get().name(), memberId);
    joined.accept(member.get());
    return chain;
  }

  /**
   * Issues a new certificate to a member.
   *
   * @throws InvalidSigningRequestException if the request is malformed
   * @throws AdmissionRefusedException if the member was removed
   */
  public List<X509Certificate> renew(SpiffeId member, byte[] signingRequest) {
    if (!tokens.isMember(member.memberId(), member.role())) {
      throw new AdmissionRefusedException("this member was removed from the cluster");
    }
    return authority.issue(
        signingRequest, member.role(), member.memberId(), CERTIFICATE_LIFETIME, List.of());
  }

  private String refusal(Optional<StoredToken> stored) {
    String remedy = "; create a new one on the coordinator with: cloister token create";
    if (stored.isEmpty()) {
      return "the join token is unknown or was altered" + remedy;
    }
    StoredToken token = stored.get();
    if (token.revoked()) {
      return "the join token was revoked" + remedy;
    }
    if (!now().isBefore(token.expiresAt())) {
      return "the join token expired "
          + ago(Duration.between(token.expiresAt(), now()))
          + " ago"
          + remedy;
    }
    if (token.usesLeft() == 0) {
      return "the join token was already used" + remedy;
    }
    return "the join token is unknown or was altered" + remedy;
  }

  private static String ago(Duration duration) {
    if (duration.toDays() > 0) {
      return duration.toDays() + " d";
    }
    if (duration.toHours() > 0) {
      return duration.toHours() + " h";
    }
    return duration.toMinutes() > 0 ? duration.toMinutes() + " min" : duration.toSeconds() + " s";
  }

  /** Host names become names of nodes, whatever they hold. */
  private static String cleanName(String name) {
    String clean =
        name.substring(0, Math.min(name.length(), NAME_LENGTH))
            .replaceAll("[^A-Za-z0-9._-]", "-")
            .replaceAll("^[^A-Za-z0-9]+", "");
    return clean.isEmpty() ? "node" : clean;
  }

  private Instant now() {
    return clock.instant().truncatedTo(ChronoUnit.MILLIS);
  }

  static byte[] sha256(byte[] bytes) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
