package dev.cloister.agent.stage;

import dev.cloister.identity.IdentitySource;
import dev.cloister.identity.ticket.InvalidTicketException;
import dev.cloister.identity.ticket.Neighbour;
import dev.cloister.identity.tls.ClusterChannel;
import dev.cloister.identity.tls.ClusterTls;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.InetSocketAddress;

/** Dials other agents. Thread-safe. */
final class PeerDialer {
  private static final int MAX_RECEIPT_BYTES = 1 << 10;

  private final IdentitySource own;
  private final EventLoopGroup loops;

  PeerDialer(IdentitySource own, EventLoopGroup loops) {
    this.own = own;
    this.loops = loops;
  }

  /**
   * Returns a connection for one stream of frames to the node that a ticket names; the handshake
   * fails with any other.
   *
   * @throws InvalidTicketException if its address cannot be dialled
   */
  ManagedChannel dial(Neighbour neighbour) {
    try {
      return builder(neighbour).build();
    } catch (IllegalArgumentException e) {
      throw new InvalidTicketException(
          "the address of node " + neighbour.nodeId() + " cannot be dialled", e);
    }
  }

  private NettyChannelBuilder builder(Neighbour neighbour) {
    return ClusterChannel.to(neighbour.address(), ClusterTls.client(own, neighbour::isShownBy))
        .channelType(NioSocketChannel.class, InetSocketAddress.class)
        .eventLoopGroup(loops)
        .withOption(ChannelOption.TCP_NODELAY, true)
        .directExecutor()
        // Retries would keep frames for a second time.
        .disableRetry()
        .flowControlWindow(PeerServer.WINDOW_BYTES)
        .maxInboundMessageSize(MAX_RECEIPT_BYTES);
  }
}
