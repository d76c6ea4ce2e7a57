package dev.cloister.agent.stage;

import static org.awaitility.Awaitility.await;

import dev.cloister.agent.engine.EngineClient;
import dev.cloister.agent.engine.FrameBytes;
import dev.cloister.agent.engine.IoThread;
import dev.cloister.proto.engine.v1.StageFrame;
import dev.cloister.proto.engine.v1.StageServiceGrpc;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * An engine's stage without a model, on a Unix socket, that parses every frame. What it gets it
 * sends on, or keeps for the test if it is the first.
 */
final class StageEngine extends StageServiceGrpc.StageServiceImplBase implements AutoCloseable {
  /** A frame of this number is refused. */
  static final long BAD_NUMBER = 666;

  final BlockingQueue<StageFrame> kept = new LinkedBlockingQueue<>();

  /** How the calls ended, in order. */
  final List<Status> ends = new CopyOnWriteArrayList<>();

  volatile boolean reading = true;
  final EngineClient client;

  private final boolean isFirst;
  private final EventLoopGroup loops =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final Server server;
  private final List<Call> calls = new CopyOnWriteArrayList<>();

  StageEngine(Path socket, boolean isFirst, IoThread thread) throws IOException {
    this.isFirst = isFirst;
    server =
        NettyServerBuilder.forAddress(UnixDomainSocketAddress.of(socket))
            .channelType(NioServerDomainSocketChannel.class)
            .bossEventLoopGroup(loops)
            .workerEventLoopGroup(loops)
            .withChildOption(ChannelOption.SO_KEEPALIVE, null)
            .directExecutor()
            .maxInboundMessageSize(FrameBytes.MAX_BYTES)
            .addService(this)
            .build()
            .start();
    client = new EngineClient(socket, thread, () -> {});
  }

  @Override
  public StreamObserver<StageFrame> run(StreamObserver<StageFrame> frames) {
    Call call = new Call((ServerCallStreamObserver<StageFrame>) frames);
    calls.add(call);
    return call;
  }

  /** The newest call that has not ended, waited for. */
  private Call call() {
    if (calls.size() > ends.size()) {
      return calls.getLast();
    }
    return await()
        .atMost(Duration.ofSeconds(20))
        .pollInterval(Duration.ofMillis(5))
        .until(() -> calls.size() > ends.size() ? calls.getLast() : null, Objects::nonNull);
  }

  void send(StageFrame frame) {
    call().out.onNext(frame);
  }

  boolean isReady() {
    return call().out.isReady();
  }

  void readOn() {
    reading = true;
    call().out.request(1);
  }

  private final class Call implements StreamObserver<StageFrame> {
    final ServerCallStreamObserver<StageFrame> out;
    private boolean owesRequest;

    Call(ServerCallStreamObserver<StageFrame> out) {
      this.out = out;
      out.disableAutoRequest();
      out.setOnReadyHandler(this::requestIfOwed);
      out.request(1);
    }

    @Override
    public void onNext(StageFrame frame) {
      if (frame.getNumber() == BAD_NUMBER) {
        out.onError(
            Status.INVALID_ARGUMENT.withDescription("frame 666 is bad").asRuntimeException());
        return;
      }
      if (isFirst) {
        kept.add(frame);
      } else {
        out.onNext(frame);
      }
      owesRequest = true;
      requestIfOwed();
    }

    /** An engine sends no more than is taken. */
    private void requestIfOwed() {
      if (owesRequest && reading && (isFirst || out.isReady())) {
        owesRequest = false;
        out.request(1);
      }
    }

    @Override
    public void onError(Throwable broken) {
      ends.add(Status.fromThrowable(broken));
    }

    @Override
    public void onCompleted() {
      ends.add(Status.OK);
    }
  }

  /** As an engine that is stopped: its connections stay and say nothing. */
  void fallSilent(CountDownLatch end) {
    var _ = loops.submit(() -> end.await(30, TimeUnit.SECONDS));
  }

  /** As an engine that is killed. */
  void die() {
    server.shutdownNow();
    var _ = loops.shutdownGracefully(0, 1, TimeUnit.SECONDS);
  }

  @Override
  public void close() {
    client.close();
    die();
  }
}
