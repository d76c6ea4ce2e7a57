package dev.cloister.identity;

/**
 * Where a connection finds the identity to present. Asked at every handshake, so that a renewed
 * certificate takes effect without a new listener. Implementations are thread-safe and do not
 * block.
 */
@FunctionalInterface
public interface IdentitySource {
  /** Returns the identity to use from now on. */
  Identity current();
}
