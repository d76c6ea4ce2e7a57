package dev.cloister.client.admin;

import java.time.Instant;
import java.util.Map;

/**
 * An API key, without its secret.
 *
 * @param required labels that a node must have to see its requests
 * @param weight its share where callers have to wait, in relation to others'
 */
public record ApiKeyInfo(
    String id,
    String name,
    Instant createdAt,
    boolean revoked,
    Map<String, String> required,
    double weight) {
  public ApiKeyInfo {
    required = Map.copyOf(required);
  }
}
