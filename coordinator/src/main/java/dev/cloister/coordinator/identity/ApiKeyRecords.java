package dev.cloister.coordinator.identity;

import java.util.List;
import java.util.Optional;

/** The durable list of API keys. Thread-safe. */
public interface ApiKeyRecords {
  /**
   * @param hash SHA-256 of the key
   * @return false if a key of this name exists that is not revoked
   */
  boolean add(ApiKey key, byte[] hash);

  /** All keys, the newest first. */
  List<ApiKey> all();

  /** The key of this hash, revoked or not. */
  Optional<ApiKey> findByHash(byte[] hash);

  /**
   * Gives a key another weight.
   *
   * @return false if there is no such key
   */
  boolean weigh(String id, double weight);

  /**
   * @return false if there is no such key
   */
  boolean revoke(String id);
}
