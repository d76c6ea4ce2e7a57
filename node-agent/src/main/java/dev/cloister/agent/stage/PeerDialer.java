package dev.cloister.agent.stage;

import dev.cloister.identity.IdentitySource;
import dev.cloister.identity.Role;
import dev.cloister.identity.ticket.InvalidTicketException;
import dev.cloister.identity.ticket.Neighbour;
import dev.cloister.identity.ticket.PlanTicket;
import dev.cloister.identity.tls.ClusterChannel;
import dev.cloister.identity.tls.ClusterTls;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.SslContext;
import java.net.InetSocketAddress;

/** Dials for streams: other agents, and the coordinator that stands for them. Thread-safe. */
final class PeerDialer {
  private static final int MAX_RECEIPT_BYTES = 1 << 10;

  private final IdentitySource own;
  private final EventLoopGroup loops;
  private final String coordinator;

  /**
   * @param coordinator {@code host:port}
   */
  PeerDialer(IdentitySource own, EventLoopGroup loops, String coordinator) {
    this.own = own;
    this.loops = loops;
    this.coordinator = coordinator;
  }

  /**
   * Returns a connection for the stream to the stage behind: to its node, or to the coordinator if
   * the ticket says so.
   *
   * @throws InvalidTicketException if its address cannot be dialled
   */
  ManagedChannel dialNext(PlanTicket ticket) {
    return ticket.next().relayed()
        ? toCoordinator().maxInboundMessageSize(MAX_RECEIPT_BYTES).build()
        : dial(ticket.next());
  }

  /** Returns a connection to the coordinator that takes pieces of frames. */
  ManagedChannel dialCoordinator() {
    return toCoordinator().maxInboundMessageSize(FramePieces.FULL_BYTES).build();
  }

  private NettyChannelBuilder toCoordinator() {
    return builder(coordinator, ClusterTls.client(own, Role.COORDINATOR));
  }

  /**
   * Returns a connection for one stream of frames to the node that a ticket names; the handshake
   * fails with any other.
   *
   * @throws InvalidTicketException if its address cannot be dialled
   */
  ManagedChannel dial(Neighbour neighbour) {
    try {
      return builder(neighbour.address(), ClusterTls.client(own, neighbour::isShownBy))
          .maxInboundMessageSize(MAX_RECEIPT_BYTES)
          .build();
    } catch (IllegalArgumentException e) {
      throw new InvalidTicketException(
          "the address of node " + neighbour.nodeId() + " cannot be dialled", e);
    }
  }

  private NettyChannelBuilder builder(String address, SslContext tls) {
    return ClusterChannel.to(address, tls)
        .channelType(NioSocketChannel.class, InetSocketAddress.class)
        .eventLoopGroup(loops)
        .withOption(ChannelOption.TCP_NODELAY, true)
        .directExecutor()
        // Retries would keep frames for a second time.
        .disableRetry()
        .flowControlWindow(PeerServer.WINDOW_BYTES);
  }
}
