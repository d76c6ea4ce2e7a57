package dev.cloister.coordinator.inference;

import dev.cloister.coordinator.labels.Labels;

/**
 * Whose request it is. What an engine computed for one tenant, such as the state behind a prompt,
 * is never used for another; so it comes from the caller's credentials, never from the request.
 *
 * @param name opaque to engines; the same for all requests of one caller
 * @param required labels that a node must have to see any of its requests
 * @param weight its share where callers have to wait, in relation to that of others
 */
public record Tenant(String name, Labels required, double weight) {
  /** The share of whoever was given no other. */
  public static final double WEIGHT = 1;

  /** The holder of an API key. */
  public static Tenant ofApiKey(String keyId, Labels required, double weight) {
    return new Tenant("key/" + keyId, required, weight);
  }

  /** The holder of an API key that was given no weight. */
  public static Tenant ofApiKey(String keyId, Labels required) {
    return ofApiKey(keyId, required, WEIGHT);
  }

  /** The owner of a certificate of the cluster. */
  public static Tenant ofMember(String memberId) {
    return new Tenant("member/" + memberId, Labels.NONE, WEIGHT);
  }
}
