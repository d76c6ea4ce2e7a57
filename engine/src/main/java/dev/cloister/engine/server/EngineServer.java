package dev.cloister.engine.server;

import dev.cloister.engine.generation.LoadedModel;
import dev.cloister.engine.stage.Step;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * The engine's gRPC server on a Unix domain socket, or on the loopback interface with a secret
 * where there is none. Who may enter the directory of the socket, or of the file that stands in for
 * it, may call; nobody else can.
 */
public final class EngineServer implements AutoCloseable {

  /**
   * The longest path that a socket address holds on every supported system (macOS: 104 with its
   * end).
   */
  private static final int MAX_SOCKET_PATH = 103;

  /** The hidden states of a step, and room for what is told beside them. */
  private static final int MAX_MESSAGE_BYTES = Step.MOST_HIDDEN_BYTES + (4 << 20);

  /** Fixed, since the one that adapts itself sends a ping with most frames. */
  private static final int WINDOW_BYTES = 8 << 20;

  /**
   * gRPC logs a stack trace whenever a caller goes away from an answer it has not read. Held here,
   * since java.util.logging forgets the level of a logger that nobody holds.
   */
  private static final Logger GRPC_LOG = Logger.getLogger("io.grpc.netty.NettyServerHandler");

  /** What the engine listens on. */
  public enum Kind {
    /** A Unix domain socket. */
    UNIX,
    /** A port of the loopback interface; in the socket's place lies a file with the secret. */
    LOOPBACK;

    /** Unix domain sockets, where this machine has them. */
    public static Kind ofThisMachine() {
      try (var _ = SocketChannel.open(StandardProtocolFamily.UNIX)) {
        return UNIX;
      } catch (UnsupportedOperationException | IOException e) {
        return LOOPBACK;
      }
    }
  }

  private final Path socket;
  private final Server server;
  private final EngineService service;
  private final EventLoopGroup eventLoop;

  private EngineServer(
      Path socket, Server server, EngineService service, EventLoopGroup eventLoop) {
    this.service = service;
    this.socket = socket;
    this.server = server;
    this.eventLoop = eventLoop;
  }

  /** Starts on what this machine has, as {@link #start(Path, Kind, CompletableFuture)}. */
  public static EngineServer start(Path socket, CompletableFuture<LoadedModel> loading)
      throws IOException {
    return start(socket, Kind.ofThisMachine(), loading);
  }

  /**
   * Answers on the socket as soon as this returns, before the model is loaded. A socket that a dead
   * process left there is replaced.
   *
   * @throws IOException in one sentence
   */
  public static EngineServer start(Path socket, Kind kind, CompletableFuture<LoadedModel> loading)
      throws IOException {
    GRPC_LOG.setLevel(Level.SEVERE);
    removeStale(socket);
    // One thread is plenty for one agent on the same machine.
    EventLoopGroup eventLoop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    EngineService service = new EngineService(loading);
    try {
      Server server =
          switch (kind) {
            case UNIX -> build(unix(socket), eventLoop, loading, service).start();
            case LOOPBACK -> {
              LoopbackFile file = new LoopbackFile(socket);
              Server started =
                  build(loopback().intercept(file), eventLoop, loading, service).start();
              file.write(started.getPort());
              yield started;
            }
          };
      return new EngineServer(socket, server, service, eventLoop);
    } catch (IOException e) {
      var _ = eventLoop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
      throw new IOException("cannot listen on %s: %s".formatted(socket, rootMessage(e)), e);
    }
  }

  private static NettyServerBuilder unix(Path socket) throws IOException {
    int length = socket.toString().getBytes(StandardCharsets.UTF_8).length;
    if (length > MAX_SOCKET_PATH) {
      throw new IOException(
          "its path has %d bytes (expected: at most %d)".formatted(length, MAX_SOCKET_PATH));
    }
    return NettyServerBuilder.forAddress(UnixDomainSocketAddress.of(socket))
        .channelType(NioServerDomainSocketChannel.class)
        // gRPC sets it on every channel; this kind does not know it, and Netty would warn.
        .withChildOption(ChannelOption.SO_KEEPALIVE, null);
  }

  private static NettyServerBuilder loopback() {
    return NettyServerBuilder.forAddress(
            new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0))
        .channelType(NioServerSocketChannel.class);
  }

  private static Server build(
      NettyServerBuilder builder,
      EventLoopGroup eventLoop,
      CompletableFuture<LoadedModel> loading,
      EngineService service) {
    return builder
        .bossEventLoopGroup(eventLoop)
        .workerEventLoopGroup(eventLoop)
        .directExecutor()
        .maxInboundMessageSize(MAX_MESSAGE_BYTES)
        .flowControlWindow(WINDOW_BYTES)
        .addService(service)
        .addService(new StageService(loading))
        .build();
  }

  /** Tells those who follow the model how much of it is loaded, 0 to 1. */
  public void loading(double progress) {
    service.loading(progress);
  }

  /** Breaks off every call and removes the socket. */
  @Override
  public void close() {
    server.shutdownNow();
    var _ = eventLoop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    try {
      Files.deleteIfExists(socket);
    } catch (IOException e) {
      // The next process on this path replaces it.
    }
  }

  private static void removeStale(Path socket) throws IOException {
    if (!Files.exists(socket, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    var attributes =
        Files.readAttributes(socket, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    if (!attributes.isOther() && !LoopbackFile.isAt(socket)) {
      throw new IOException(
          "%s exists and is not a socket; remove it or name another path".formatted(socket));
    }
    Files.delete(socket);
  }

  private static String rootMessage(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return String.valueOf(root.getMessage());
  }
}
