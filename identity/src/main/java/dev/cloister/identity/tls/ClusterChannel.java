package dev.cloister.identity.tls;

import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.ChannelOption;
import io.netty.handler.ssl.SslContext;
import java.util.concurrent.TimeUnit;

/** How members dial the coordinator: straight to its address, and never waiting without an end. */
public final class ClusterChannel {
  private static final int CONNECT_TIMEOUT_MILLIS = 8_000;

  private ClusterChannel() {}

  /**
   * Starts a channel. A peer that falls silent is noticed within 15 seconds, even amid a call.
   *
   * <p>A proxy that the platform is configured with is left aside: it is there for the world
   * outside, and a cluster stays inside.
   *
   * @param address {@code host:port}; an IPv6 literal is in brackets
   * @throws IllegalArgumentException if it is no such address
   */
  public static NettyChannelBuilder to(String address, SslContext tls) {
    // The scheme is spelled out because a host called "dns" or "unix" would be taken for one;
    // brackets have no place in the path of a URI.
    String path = address.replace("[", "%5B").replace("]", "%5D");
    return NettyChannelBuilder.forTarget("dns:///" + path)
        .sslContext(tls)
        .proxyDetector(target -> null)
        .withOption(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_TIMEOUT_MILLIS)
        .keepAliveTime(10, TimeUnit.SECONDS)
        .keepAliveTimeout(5, TimeUnit.SECONDS);
  }
}
