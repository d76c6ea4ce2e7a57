package dev.cloister.coordinator.identity;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.cloister.coordinator.inference.Tenant;
import dev.cloister.coordinator.labels.Labels;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The keys of HTTP callers. Thread-safe.
 *
 * <p>A key is {@code sk-cloister-} and 32 random bytes in base64url. With that much randomness a
 * plain SHA-256 is enough to store it: there is nothing to guess.
 */
public final class ApiKeys {
  private static final Logger log = LoggerFactory.getLogger(ApiKeys.class);
  private static final String PREFIX = "sk-cloister-";
  private static final int LENGTH = PREFIX.length() + 43;
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,62}");

  private final ApiKeyRecords records;
  private final InstantSource clock;
  private final SecureRandom random = new SecureRandom();

  /** By hash of the key, so that no key stays in memory. Every request asks. */
  private volatile Cache<ByteBuffer, Optional<ApiKey>> verified = emptyCache();

  public ApiKeys(ApiKeyRecords records, InstantSource clock) {
    this.records = records;
    this.clock = clock;
  }

  /** A key just made: the only moment it is known whole. Its string form hides it. */
  public record NewKey(String id, String key) {
    @Override
    public String toString() {
      return "NewKey[" + id + "]";
    }
  }

  /**
   * Makes a key.
   *
   * @throws IllegalArgumentException if the name is malformed
   * @throws NameTakenException if a key of this name exists that is not revoked
   */
  public NewKey create(String name) {
    return create(name, Labels.NONE, Tenant.WEIGHT);
  }

  /**
   * As {@link #create(String)}.
   *
   * @param required labels that a node must have to see a request with this key; for good
   * @param weight the key's share where callers have to wait, in relation to others'; 0.01 to 100
   * @throws IllegalArgumentException also if the weight is out of range
   */
  public NewKey create(String name, Labels required, double weight) {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "key name is '" + name + "' (expected: 1 to 63 letters, digits, '.', '_' and '-')");
    }
    byte[] secret = new byte[32];
    random.nextBytes(secret);
    String key = PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(secret);
    byte[] idBytes = new byte[5];
    random.nextBytes(idBytes);
    String id = HexFormat.of().formatHex(idBytes);
    Instant now = clock.instant().truncatedTo(ChronoUnit.MILLIS);
    if (!records.add(new ApiKey(id, name, now, false, required, weight), hash(key))) {
      throw new NameTakenException(
          "an API key named '" + name + "' exists; choose another name or revoke it first");
    }
    log.info("API key {} ({}) was created", id, name);
    return new NewKey(id, key);
  }

  /** Thrown when a name is already in use. */
  public static final class NameTakenException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    NameTakenException(String message) {
      super(message);
    }
  }

  /** All keys, the newest first. */
  public List<ApiKey> all() {
    return records.all();
  }

  /** The key, if it exists and is not revoked. */
  public Optional<ApiKey> verify(String key) {
    if (key.length() != LENGTH || !key.startsWith(PREFIX)) {
      return Optional.empty();
    }
    byte[] hash = hash(key);
    return verified
        .get(ByteBuffer.wrap(hash), missing -> records.findByHash(hash))
        .filter(found -> !found.revoked());
  }

  /**
   * Changes a key's weight; requests that wait already keep theirs.
   *
   * @return false if there is no such key
   * @throws IllegalArgumentException if the weight is out of range; the message is one sentence
   */
  public boolean weigh(String id, double weight) {
    ApiKey.requireWeight(weight);
    boolean found = records.weigh(id, weight);
    verified = emptyCache();
    return found;
  }

  /**
   * Revokes a key; requests that already run go on.
   *
   * @return false if there is no such key
   */
  public boolean revoke(String id) {
    boolean found = records.revoke(id);
    // A new one: clearing the old would miss an entry that is just being loaded.
    verified = emptyCache();
    return found;
  }

  private static Cache<ByteBuffer, Optional<ApiKey>> emptyCache() {
    return Caffeine.newBuilder().maximumSize(10_000).build();
  }

  private static byte[] hash(String key) {
    return Admission.sha256(key.getBytes(StandardCharsets.UTF_8));
  }
}
