package dev.cloister.agent.stage;

import dev.cloister.agent.transfer.PieceSender;
import dev.cloister.identity.IdentitySource;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where this machine listens for other agents: the address it was told, or the local one that leads
 * to the coordinator, which may become another when the machine moves. Thread-safe.
 */
public final class PeerListener implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(PeerListener.class);

  private final Listening where;
  private final IdentitySource own;
  private final Stages stages;
  private final PieceSender pieces;
  private @Nullable PeerServer server;
  private @Nullable InetAddress bound;

  private PeerListener(Listening where, IdentitySource own, Stages stages, PieceSender pieces) {
    this.where = where;
    this.own = own;
    this.stages = stages;
    this.pieces = pieces;
  }

  /**
   * Listens where it was told to; otherwise from the first time its {@link #address} is asked for.
   *
   * @throws IOException if that address cannot be bound; the message is one sentence
   */
  public static PeerListener start(
      Listening where, IdentitySource own, Stages stages, PieceSender pieces) throws IOException {
    PeerListener listener = new PeerListener(where, own, stages, pieces);
    switch (where) {
      case Listening.At(InetSocketAddress address) -> listener.listen(address);
      case Listening.Automatic(), Listening.Nowhere() -> {}
    }
    return listener;
  }

  /**
   * Returns where other agents reach this machine, {@code host:port}; empty if they do not, or
   * there is no way to the coordinator now.
   *
   * @param coordinator {@code host:port}
   */
  public synchronized String address(String coordinator) {
    try {
      InetAddress local = localAddress(coordinator);
      if (where instanceof Listening.Automatic && (server == null || !local.equals(bound))) {
        close();
        listen(new InetSocketAddress(local, 0));
      }
      boolean everywhere = bound != null && bound.isAnyLocalAddress();
      return server == null || bound == null
          ? ""
          : text(everywhere ? local : bound) + ":" + server.port();
    } catch (IOException e) {
      log.warn("other agents cannot reach this machine: {}", e.getMessage());
      return "";
    }
  }

  /** Says whether other agents may have a model's files from here. */
  public void share(String modelSha256, boolean may) {
    pieces.share(modelSha256, may);
  }

  private synchronized void listen(InetSocketAddress address) throws IOException {
    try {
      server = PeerServer.start(address, own, stages, pieces);
      bound = address.getAddress();
      log.info("listening for other agents on {}:{}", text(address.getAddress()), server.port());
    } catch (IOException e) {
      throw new IOException(
          "cannot listen for other agents on %s:%d; give a free address of this machine"
              .formatted(address.getHostString(), address.getPort()),
          e);
    }
  }

  /** Connecting a datagram socket sends nothing, but chooses the way. */
  private static InetAddress localAddress(String coordinator) throws IOException {
    URI uri = URI.create("cluster://" + coordinator);
    try (DatagramSocket way = new DatagramSocket()) {
      way.connect(new InetSocketAddress(uri.getHost(), uri.getPort()));
      return way.getLocalAddress();
    }
  }

  private static String text(InetAddress address) {
    String host = address.getHostAddress();
    return address instanceof Inet6Address ? "[" + host + "]" : host;
  }

  @Override
  public synchronized void close() {
    if (server != null) {
      server.close();
      server = null;
    }
  }
}
