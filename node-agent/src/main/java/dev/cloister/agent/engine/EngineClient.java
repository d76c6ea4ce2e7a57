package dev.cloister.agent.engine;

import dev.cloister.proto.engine.v1.DetokenizeRequest;
import dev.cloister.proto.engine.v1.DetokenizeResponse;
import dev.cloister.proto.engine.v1.EngineServiceGrpc;
import dev.cloister.proto.engine.v1.EngineServiceGrpc.EngineServiceStub;
import dev.cloister.proto.engine.v1.GenerateRequest;
import dev.cloister.proto.engine.v1.ModelState;
import dev.cloister.proto.engine.v1.Ready;
import dev.cloister.proto.engine.v1.StageServiceGrpc;
import dev.cloister.proto.engine.v1.WatchModelRequest;
import dev.cloister.proto.engine.v1.WatchPrefixesRequest;
import dev.cloister.proto.inference.v1.Generation;
import dev.cloister.proto.inference.v1.GenerationEvent;
import dev.cloister.proto.inference.v1.PrefixNews;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.StreamObserver;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.io.InputStream;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/** A connection to one engine process. Thread-safe. */
public final class EngineClient implements AutoCloseable {
  private static final MethodDescriptor<InputStream, InputStream> RUN =
      StageServiceGrpc.getRunMethod().toBuilder(new FrameBytes(), new FrameBytes()).build();

  /** Fixed, since the one that adapts itself sends a ping with most frames. */
  private static final int WINDOW_BYTES = 8 << 20;

  private final ManagedChannel channel;
  private final EngineServiceStub engine;
  private final Runnable closed;

  /**
   * Connects with a thread of its own.
   *
   * @param socket where the engine listens: a Unix domain socket, or the file that stands in for it
   */
  public EngineClient(Path socket) {
    this(socket, new IoThread());
  }

  private EngineClient(Path socket, IoThread own) {
    this(socket, own, own::close);
  }

  /**
   * @param socket as above
   * @param thread carries the connection
   * @param closed is run when this was closed
   */
  public EngineClient(Path socket, IoThread thread, Runnable closed) {
    this.closed = closed;
    channel =
        LoopbackAddress.read(socket)
            .map(EngineClient::loopback)
            .orElseGet(() -> unix(socket))
            .eventLoopGroup(thread.group())
            // A directory only this user can enter stands in for TLS.
            .usePlaintext()
            .overrideAuthority("engine")
            .directExecutor()
            // Retries would keep frames for a second time.
            .disableRetry()
            .flowControlWindow(WINDOW_BYTES)
            .maxInboundMessageSize(FrameBytes.MAX_BYTES)
            .build();
    engine = EngineServiceGrpc.newStub(channel);
  }

  private static NettyChannelBuilder unix(Path socket) {
    return NettyChannelBuilder.forAddress(UnixDomainSocketAddress.of(socket))
        .channelType(NioDomainSocketChannel.class, UnixDomainSocketAddress.class)
        // Meant for TCP; Netty warns of it on every other socket.
        .withOption(ChannelOption.SO_KEEPALIVE, null);
  }

  private static NettyChannelBuilder loopback(LoopbackAddress address) {
    return NettyChannelBuilder.forAddress(address.socketAddress())
        .channelType(NioSocketChannel.class)
        .intercept(address.credential());
  }

  /**
   * Follows the model's state until the connection breaks or the client is closed. Waits for an
   * engine that does not listen yet.
   */
  public void watch(EngineListener listener) {
    engine
        .withWaitForReady()
        .watchModel(
            WatchModelRequest.getDefaultInstance(),
            new StreamObserver<>() {
              @Override
              public void onNext(ModelState state) {
                switch (state.getStateCase()) {
                  case LOADING -> listener.loading(state.getLoading().getProgress());
                  case READY -> listener.ready(facts(state.getReady()));
                  case FAILED -> listener.failed(state.getFailed().getMessage());
                  case STAGED -> listener.staged();
                  case STATE_NOT_SET -> {}
                }
              }

              @Override
              public void onError(Throwable broken) {
                listener.lost();
              }

              @Override
              public void onCompleted() {
                listener.lost();
              }
            });
  }

  private static ModelFacts facts(Ready ready) {
    Set<ModelFacts.Use> uses = EnumSet.noneOf(ModelFacts.Use.class);
    if (ready.getGenerates()) {
      uses.add(ModelFacts.Use.GENERATE);
    }
    if (ready.getEmbeds()) {
      uses.add(ModelFacts.Use.EMBED);
    }
    if (ready.getReranks()) {
      uses.add(ModelFacts.Use.RERANK);
    }
    return new ModelFacts(
        ready.getContextTokens(), ready.getSlots(), ready.getEngine(), ready.getFull(), uses);
  }

  /**
   * Starts a generation.
   *
   * @param tenant whose request it is
   * @param marks of beginnings of its prompt
   * @param events gets the events, then the end of the call; it cancels through the stream it is
   *     given first
   */
  public void generate(
      Generation generation,
      String tenant,
      List<Long> marks,
      ClientResponseObserver<GenerateRequest, GenerationEvent> events) {
    engine.generate(
        GenerateRequest.newBuilder()
            .setGeneration(generation)
            .setTenant(tenant)
            .addAllMarks(marks)
            .build(),
        events);
  }

  /**
   * Follows which beginnings of prompts the engine holds.
   *
   * @param news gets everything first, then news; it cancels as above
   */
  public void watchPrefixes(ClientResponseObserver<WatchPrefixesRequest, PrefixNews> news) {
    engine.watchPrefixes(WatchPrefixesRequest.getDefaultInstance(), news);
  }

  /**
   * Makes the engine a part of a pipeline for as long as the call, which is still to be started,
   * lasts. Its events come on a thread that must not be blocked.
   */
  public ClientCall<InputStream, InputStream> run() {
    return channel.newCall(RUN, CallOptions.DEFAULT);
  }

  /**
   * Whether the engine gives a sign of life within the patience. Any answer is one, and so is the
   * end of the connection: gRPC's own pings come every ten seconds at most.
   */
  public CompletableFuture<Boolean> isAlive(Duration patience) {
    CompletableFuture<Boolean> alive = new CompletableFuture<>();
    engine
        .withDeadlineAfter(patience)
        .detokenize(
            DetokenizeRequest.getDefaultInstance(),
            new StreamObserver<>() {
              @Override
              public void onNext(DetokenizeResponse nothing) {}

              @Override
              public void onError(Throwable failure) {
                alive.complete(
                    Status.fromThrowable(failure).getCode() != Status.Code.DEADLINE_EXCEEDED);
              }

              @Override
              public void onCompleted() {
                alive.complete(true);
              }
            });
    return alive;
  }

  @Override
  public void close() {
    channel.shutdownNow();
    closed.run();
  }
}
