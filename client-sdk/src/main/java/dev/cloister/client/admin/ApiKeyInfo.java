package dev.cloister.client.admin;

import java.time.Instant;
import java.util.Map;

/**
 * An API key, without its secret.
 *
 * @param required labels that a node must have to see its requests
 */
public record ApiKeyInfo(
    String id, String name, Instant createdAt, boolean revoked, Map<String, String> required) {
  public ApiKeyInfo {
    required = Map.copyOf(required);
  }
}
