package dev.cloister.coordinator.wake;

import dev.cloister.coordinator.fleet.NodeState;
import dev.cloister.coordinator.fleet.NodeView;
import dev.cloister.coordinator.fleet.WakeAddress;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends machines that are away what wakes them, by UDP broadcast: into this machine's own network,
 * and to the network where they were last, which routers between the two may not let through.
 * Thread-safe; sending takes no time.
 */
public final class Waker {
  private static final Logger log = LoggerFactory.getLogger(Waker.class);

  /** The discard port, which most senders use; sleeping network cards do not look at it. */
  private static final int PORT = 9;

  private static final String OWN_NETWORK = "255.255.255.255";

  private final int port;

  public Waker() {
    this(PORT);
  }

  Waker(int port) {
    this.port = port;
  }

  /** Whether it is away, and it is known by what it is woken. */
  public static boolean canWake(NodeView node) {
    return node.state() != NodeState.ONLINE && !node.wake().isEmpty();
  }

  /** Sends it to all of the node's links. What cannot be sent is left out and logged. */
  public void wake(NodeView node) {
    log.info("node {} is woken", node.node().name());
    for (WakeAddress address : node.wake()) {
      byte[] packet = MagicPacket.of(address.hardware());
      List<String> networks = new ArrayList<>(List.of(OWN_NETWORK));
      if (!address.broadcast().isEmpty()) {
        networks.add(address.broadcast());
      }
      for (String network : networks) {
        send(packet, network);
      }
    }
  }

  private void send(byte[] packet, String network) {
    try (DatagramSocket socket = new DatagramSocket()) {
      socket.setBroadcast(true);
      socket.send(new DatagramPacket(packet, packet.length, InetAddress.ofLiteral(network), port));
    } catch (IOException | IllegalArgumentException e) {
      log.debug("nothing can be sent to {}: {}", network, e.getMessage());
    }
  }
}
