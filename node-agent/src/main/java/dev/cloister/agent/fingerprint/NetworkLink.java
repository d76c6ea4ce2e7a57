package dev.cloister.agent.fingerprint;

import java.util.Objects;

/**
 * A network interface that is up.
 *
 * @param name for example {@code eth0}
 * @param speedBitsPerSecond as negotiated; 0 if unknown
 * @param hardwareAddress {@code 00:1b:44:11:3a:b7}; empty if unknown
 * @param broadcastAddress where all machines of its IPv4 network are reached; empty without one
 */
public record NetworkLink(
    String name,
    long speedBitsPerSecond,
    boolean wireless,
    String hardwareAddress,
    String broadcastAddress) {

  /** One that no machine is woken by. */
  public NetworkLink(String name, long speedBitsPerSecond, boolean wireless) {
    this(name, speedBitsPerSecond, wireless, "", "");
  }

  public NetworkLink {
    Objects.requireNonNull(name, "name");
    if (speedBitsPerSecond < 0) {
      throw new IllegalArgumentException(
          "speedBitsPerSecond: " + speedBitsPerSecond + " (expected: >= 0)");
    }
  }
}
