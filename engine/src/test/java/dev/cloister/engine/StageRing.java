package dev.cloister.engine;

import static org.awaitility.Awaitility.await;

import dev.cloister.engine.EngineProcess.Answer;
import dev.cloister.engine.generation.LoadedModel;
import dev.cloister.engine.gguf.GgufModel;
import dev.cloister.engine.gguf.StageCut;
import dev.cloister.engine.model.StagePart;
import dev.cloister.engine.server.EngineServer;
import dev.cloister.engine.stage.Step.Precision;
import dev.cloister.proto.engine.v1.EngineServiceGrpc;
import dev.cloister.proto.engine.v1.ModelState;
import dev.cloister.proto.engine.v1.StageFrame;
import dev.cloister.proto.engine.v1.StageServiceGrpc;
import dev.cloister.proto.engine.v1.WatchModelRequest;
import dev.cloister.proto.inference.v1.Generation;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.StreamObserver;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The stages of a model, each behind its socket, and what agents do between them. */
final class StageRing implements AutoCloseable {

  private static final MultiThreadIoEventLoopGroup EVENT_LOOP =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());

  final List<LoadedModel> models = new ArrayList<>();

  /** What the first stage says of itself, in order. */
  final List<ModelState> states = Collections.synchronizedList(new ArrayList<>());

  /** How the calls of the connection ended. */
  final List<Status> ends = Collections.synchronizedList(new ArrayList<>());

  private final List<EngineServer> servers = new ArrayList<>();
  private final List<ManagedChannel> channels = new ArrayList<>();
  private @Nullable Connection connection;

  private StageRing() {}

  /** Cuts the model before each of the layers, and loads the stages; without cuts it is whole. */
  static StageRing open(
      Path directory, Path file, List<Integer> cuts, Precision precision, Deployment deployment)
      throws Exception {
    Files.createDirectories(directory);
    StageRing ring = new StageRing();
    if (cuts.isEmpty()) {
      ring.add(directory.resolve("s"), file, deployment);
      return ring;
    }
    GgufModel model = GgufModel.open(file);
    Path lexicon = directory.resolve("lexicon.gguf");
    StageCut.lexicon(model).write(file, lexicon);
    for (int i = 0; i <= cuts.size(); i++) {
      int first = i == 0 ? 0 : cuts.get(i - 1);
      int end = i == cuts.size() ? model.layers() : cuts.get(i);
      Path part = directory.resolve("stage-%d.gguf".formatted(i));
      new StageCut(first, end, model.layers()).write(model, part);
      StagePart kind =
          i == 0 ? StagePart.FIRST : i == cuts.size() ? StagePart.LAST : StagePart.MIDDLE;
      var stage =
          new Deployment.Stage(
              kind, cuts.size() + 1, i == 0 ? Optional.of(lexicon) : Optional.empty(), precision);
      ring.add(directory.resolve("s" + i), part, deployment.with(stage));
    }
    EngineServiceGrpc.newStub(ring.channels.getFirst())
        .watchModel(
            WatchModelRequest.getDefaultInstance(),
            new StreamObserver<>() {
              @Override
              public void onNext(ModelState state) {
                ring.states.add(state);
              }

              @Override
              public void onError(Throwable failure) {}

              @Override
              public void onCompleted() {}
            });
    return ring;
  }

  private void add(Path socket, Path file, Deployment deployment) throws Exception {
    LoadedModel model =
        new ModelLoading(deployment, Clock.systemUTC(), System::nanoTime).load(file, _ -> {});
    models.add(model);
    servers.add(EngineServer.start(socket, CompletableFuture.completedFuture(model)));
    channels.add(
        NettyChannelBuilder.forAddress(UnixDomainSocketAddress.of(socket))
            .channelType(NioDomainSocketChannel.class, UnixDomainSocketAddress.class)
            .eventLoopGroup(EVENT_LOOP)
            .withOption(ChannelOption.SO_KEEPALIVE, null)
            .maxInboundMessageSize(64 << 20)
            .usePlaintext()
            .build());
  }

  /** Connects the stages anew, and waits until the ring is closed. */
  StageRing connect() {
    join();
    await().atMost(Duration.ofSeconds(10)).until(this::ready);
    return this;
  }

  /** Connects the stages anew. */
  void join() {
    connection = new Connection();
  }

  boolean ready() {
    return !states.isEmpty() && states.getLast().hasReady();
  }

  StageServiceGrpc.StageServiceStub stage(int index) {
    return StageServiceGrpc.newStub(channels.get(index));
  }

  EngineServiceGrpc.EngineServiceBlockingStub engine() {
    return EngineServiceGrpc.newBlockingStub(channels.getFirst())
        .withDeadlineAfter(60, TimeUnit.SECONDS);
  }

  Answer ask(Generation generation) {
    return Answer.of(engine().generate(EngineProcess.request(generation)));
  }

  /** Ends the stream of a stage, as if it were lost. */
  void lose(int index) {
    if (connection != null) {
      connection.calls.get(index).cancel("lost", null);
    }
  }

  /**
   * One call a stage; what comes out of one goes into the next. All end with the first that does.
   */
  private final class Connection {
    final List<ClientCallStreamObserver<StageFrame>> calls = new CopyOnWriteArrayList<>();
    final CountDownLatch complete = new CountDownLatch(1);

    Connection() {
      for (int i = 0; i < channels.size(); i++) {
        stage(i).run(new Outlet(this, (i + 1) % channels.size()));
      }
      complete.countDown();
    }
  }

  private final class Outlet implements ClientResponseObserver<StageFrame, StageFrame> {
    private final Connection of;
    private final int next;

    Outlet(Connection of, int next) {
      this.of = of;
      this.next = next;
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<StageFrame> call) {
      of.calls.add(call);
    }

    @Override
    public void onNext(StageFrame frame) {
      try {
        // The first frame may come before the next stage is connected.
        of.complete.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      of.calls.get(next).onNext(frame);
    }

    @Override
    public void onError(Throwable failure) {
      ends.add(Status.fromThrowable(failure));
      end();
    }

    @Override
    public void onCompleted() {
      end();
    }

    private void end() {
      of.calls.forEach(call -> call.cancel("the ring ends", null));
    }
  }

  @Override
  public void close() {
    channels.forEach(ManagedChannel::shutdownNow);
    servers.forEach(EngineServer::close);
    models.forEach(LoadedModel::close);
  }
}
