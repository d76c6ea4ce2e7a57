package dev.cloister.identity.ticket;

import dev.cloister.identity.Role;
import dev.cloister.identity.SpiffeId;
import java.security.cert.X509Certificate;
import java.util.Set;

/**
 * A node that holds a stage, as a ticket names it.
 *
 * @param nodeId member id of the agent
 * @param keys it may show: the current one, and the one it had before a renewal
 * @param address where it listens for agents, {@code host:port}; empty if it does not
 * @param relayed whether the stream between it and the ticket's holder goes through the coordinator
 */
public record Neighbour(String nodeId, Set<KeyHash> keys, String address, boolean relayed) {
  private static final int MOST_KEYS = 8;
  private static final int LONGEST_ADDRESS = 300;

  /**
   * @throws IllegalArgumentException if a value is out of range; the message is one sentence
   */
  public Neighbour {
    keys = Set.copyOf(keys);
    if (nodeId.isEmpty()) {
      throw new IllegalArgumentException("a stage's node has no id");
    }
    if (keys.isEmpty() || keys.size() > MOST_KEYS) {
      throw new IllegalArgumentException(
          "node %s may show %d keys (expected: 1 to %d)".formatted(nodeId, keys.size(), MOST_KEYS));
    }
    if (address.length() > LONGEST_ADDRESS) {
      throw new IllegalArgumentException("the address of node " + nodeId + " is too long");
    }
  }

  /** One whose stream goes straight to it. */
  public Neighbour(String nodeId, Set<KeyHash> keys, String address) {
    this(nodeId, keys, address, false);
  }

  /** The same node, with the coordinator between it and the holder, or not. */
  public Neighbour relayed(boolean isRelayed) {
    return new Neighbour(nodeId, keys, address, isRelayed);
  }

  /** Whether a certificate that passed the checks of a handshake is this node's. */
  public boolean isShownBy(X509Certificate certificate) {
    SpiffeId id = SpiffeId.of(certificate);
    return id.role() == Role.AGENT
        && id.memberId().equals(nodeId)
        && keys.contains(KeyHash.of(certificate));
  }
}
