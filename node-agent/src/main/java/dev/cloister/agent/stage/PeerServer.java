package dev.cloister.agent.stage;

import dev.cloister.agent.engine.FrameBytes;
import dev.cloister.agent.transfer.PieceSender;
import dev.cloister.identity.IdentitySource;
import dev.cloister.identity.Role;
import dev.cloister.identity.tls.ClusterTls;
import io.grpc.BindableService;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallExecutorSupplier;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Listens for other agents of the cluster, over mutual TLS. Thread-safe. */
final class PeerServer implements AutoCloseable {
  /** Fixed, since the one that adapts itself sends a ping with most frames. */
  static final int WINDOW_BYTES = 8 << 20;

  private static final int MAX_METADATA_BYTES = 8 << 10;
  private static final int MAX_CALLS_PER_CONNECTION = 100;

  /** As with engines: silence is noticed within four seconds. */
  private static final long PING_MILLIS = 1_500;

  private static final long SILENCE_MILLIS = 2_500;

  private final Server server;
  private final ExecutorService executor;

  private PeerServer(Server server, ExecutorService executor) {
    this.server = server;
    this.executor = executor;
  }

  /**
   * Starts listening.
   *
   * @throws IOException if the address cannot be bound
   */
  static PeerServer start(
      InetSocketAddress address, IdentitySource own, Stages stages, PieceSender pieces)
      throws IOException {
    EventLoopGroup loops = stages.loops();
    ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
    Server server =
        NettyServerBuilder.forAddress(address)
            .channelType(NioServerSocketChannel.class)
            .bossEventLoopGroup(loops)
            .workerEventLoopGroup(loops)
            .withChildOption(ChannelOption.TCP_NODELAY, true)
            .sslContext(ClusterTls.server(own, Role.AGENT))
            .executor(executor)
            .callExecutor(new StagesDirectly())
            .addService(services(new StageStream(stages), new PeerGrpc(pieces)))
            .flowControlWindow(WINDOW_BYTES)
            .maxInboundMessageSize(FrameBytes.MAX_BYTES)
            .maxInboundMetadataSize(MAX_METADATA_BYTES)
            .maxConcurrentCallsPerConnection(MAX_CALLS_PER_CONNECTION)
            .maxRstFramesPerWindow(200, 30)
            .handshakeTimeout(20, TimeUnit.SECONDS)
            .permitKeepAliveTime(5, TimeUnit.SECONDS)
            .permitKeepAliveWithoutCalls(true)
            // Each stream of a ring has its listener's end on one of the nodes: one that falls
            // silent is noticed by the node behind it.
            .keepAliveTime(PING_MILLIS, TimeUnit.MILLISECONDS)
            .keepAliveTimeout(SILENCE_MILLIS, TimeUnit.MILLISECONDS)
            .build();
    try {
      server.start();
      return new PeerServer(server, executor);
    } catch (IOException e) {
      server.shutdownNow();
      executor.close();
      throw e;
    }
  }

  private static ServerServiceDefinition services(StageStream stream, BindableService others) {
    ServerServiceDefinition generated = others.bindService();
    ServerServiceDefinition.Builder services =
        ServerServiceDefinition.builder(generated.getServiceDescriptor().getName())
            .addMethod(StageStream.METHOD, stream);
    for (ServerMethodDefinition<?, ?> method : generated.getMethods()) {
      if (!isStage(method.getMethodDescriptor().getFullMethodName())) {
        services.addMethod(method);
      }
    }
    return services.build();
  }

  private static boolean isStage(String method) {
    return method.equals(StageStream.METHOD.getFullMethodName());
  }

  /** The port it listens on. */
  int port() {
    return server.getPort();
  }

  /** Ends all calls. */
  @Override
  public void close() {
    server.shutdownNow();
    try {
      // gRPC tells the end of calls on the executor as well.
      server.awaitTermination(2, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    executor.shutdownNow();
  }

  /** Frames are passed on by the thread that received them; everything else may block. */
  private static final class StagesDirectly implements ServerCallExecutorSupplier {
    @Override
    public <Q, R> @Nullable Executor getExecutor(ServerCall<Q, R> call, Metadata headers) {
      return isStage(call.getMethodDescriptor().getFullMethodName()) ? Runnable::run : null;
    }
  }
}
