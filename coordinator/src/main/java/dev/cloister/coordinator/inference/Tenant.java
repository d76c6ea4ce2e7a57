package dev.cloister.coordinator.inference;

/**
 * Whose request it is. What an engine computed for one tenant, such as the state behind a prompt,
 * is never used for another; so it comes from the caller's credentials, never from the request.
 *
 * @param name opaque to engines; the same for all requests of one caller
 */
public record Tenant(String name) {

  /** The holder of an API key. */
  public static Tenant ofApiKey(String keyId) {
    return new Tenant("key/" + keyId);
  }

  /** The owner of a certificate of the cluster. */
  public static Tenant ofMember(String memberId) {
    return new Tenant("member/" + memberId);
  }
}
