package dev.cloister.identity;

import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;

/**
 * A member's key and certificate. The key is known to belong to the leaf, and the leaf to be signed
 * by the root; whether it is still valid is for the peer to judge. Immutable.
 *
 * @param key P-256
 * @param chain leaf first, root last
 */
public record Identity(PrivateKey key, List<X509Certificate> chain) {
  /**
   * @throws InvalidIdentityException if the parts do not belong together or the leaf names no
   *     member
   */
  public Identity {
    chain = List.copyOf(chain);
    if (chain.size() != 2) {
      throw new InvalidIdentityException(
          "certificate chain has length " + chain.size() + " (expected: leaf and root)");
    }
    SpiffeId.of(chain.getFirst());
    Ecdsa.requireMatch(key, chain.getFirst().getPublicKey());
    requireSigned(chain.getFirst(), chain.getLast());
  }

  /**
   * Returns the identity made of a key and the certificates an authority sent for it.
   *
   * @param chain DER, leaf first, root last
   * @throws InvalidIdentityException if they cannot be read or do not belong together
   */
  public static Identity of(PrivateKey key, List<byte[]> chain) {
    return new Identity(key, chain.stream().map(Pem::certificate).toList());
  }

  /** Returns the member's name. */
  public SpiffeId id() {
    return SpiffeId.of(leaf());
  }

  /** Returns the member's own certificate. */
  public X509Certificate leaf() {
    return chain.getFirst();
  }

  /** Returns the certificate of the cluster's authority. */
  public X509Certificate root() {
    return chain.getLast();
  }

  @Override
  public String toString() {
    return "Identity[id=" + id() + ", until=" + leaf().getNotAfter().toInstant() + "]";
  }

  private static void requireSigned(X509Certificate leaf, X509Certificate root) {
    try {
      leaf.verify(root.getPublicKey());
    } catch (GeneralSecurityException e) {
      throw new InvalidIdentityException("certificate is not signed by the root it came with", e);
    }
  }
}
