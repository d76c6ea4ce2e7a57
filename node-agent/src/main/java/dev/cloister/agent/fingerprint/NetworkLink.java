package dev.cloister.agent.fingerprint;

import java.util.Objects;

/**
 * A network interface that is up.
 *
 * @param name for example {@code eth0}
 * @param speedBitsPerSecond as negotiated; 0 if unknown
 */
public record NetworkLink(String name, long speedBitsPerSecond, boolean wireless) {

  public NetworkLink {
    Objects.requireNonNull(name, "name");
    if (speedBitsPerSecond < 0) {
      throw new IllegalArgumentException(
          "speedBitsPerSecond: " + speedBitsPerSecond + " (expected: >= 0)");
    }
  }
}
