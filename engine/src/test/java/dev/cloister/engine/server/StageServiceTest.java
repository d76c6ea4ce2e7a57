package dev.cloister.engine.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import dev.cloister.engine.generation.Generation;
import dev.cloister.engine.generation.GenerationListener;
import dev.cloister.engine.generation.LoadedModel;
import dev.cloister.engine.generation.ModelFacts;
import dev.cloister.engine.generation.Sampling;
import dev.cloister.engine.model.TokenProbabilities;
import dev.cloister.engine.stage.RingStage;
import dev.cloister.engine.stage.Run;
import dev.cloister.engine.stage.StageOperation;
import dev.cloister.engine.stage.StepResult;
import dev.cloister.engine.stage.StepResult.Choice;
import dev.cloister.proto.engine.v1.EngineServiceGrpc;
import dev.cloister.proto.engine.v1.ModelState;
import dev.cloister.proto.engine.v1.Precision;
import dev.cloister.proto.engine.v1.StageFrame;
import dev.cloister.proto.engine.v1.StageServiceGrpc;
import dev.cloister.proto.engine.v1.Step;
import dev.cloister.proto.engine.v1.WatchModelRequest;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Frames over a real socket, to and from a stage that computes nothing. */
class StageServiceTest {

  @TempDir Path directory;
  private final CompletableFuture<LoadedModel> loading = new CompletableFuture<>();
  private final FakeStage stage = new FakeStage();
  private ServedSocket socket;

  @BeforeEach
  void start() throws IOException {
    socket = new ServedSocket(directory, loading);
  }

  @AfterEach
  void stop() {
    socket.close();
  }

  private Call call() {
    return new Call(StageServiceGrpc.newStub(socket.channel));
  }

  private static StageFrame empty(long number) {
    return StageFrame.newBuilder()
        .setNumber(number)
        .setStep(Step.newBuilder().setPrecision(Precision.PRECISION_F32))
        .build();
  }

  @Test
  void withoutAStageThereIsNoCall() {
    assertThat(call().awaitEnd().getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION);
    loading.complete(new FakeModel());
    assertThat(call().awaitEnd().getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION);
  }

  @Test
  void framesGoThroughUnchanged() {
    loading.complete(stage);
    Sampling sampling =
        new Sampling.Builder().temperature(0.5).seed(-7).logitBias(Map.of(3, -1.5f)).build();
    List<StageOperation> operations =
        List.of(
            new StageOperation.Remove(1),
            new StageOperation.Truncate(2, 3),
            new StageOperation.Copy(4, 5, 6),
            new StageOperation.Defragment(),
            new StageOperation.CloseSampler(7),
            new StageOperation.Keep(1, -2),
            new StageOperation.Restore(-2, 3),
            new StageOperation.Forget(4),
            new StageOperation.OpenSampler(
                8, sampling, Optional.of("root ::= \"a\""), new int[] {1, 2}, new int[] {3}));
    List<Run> runs =
        List.of(
            new Run(1, 2, 3, null),
            new Run(4, 5, 1, new Run.Output(8, OptionalInt.of(2))),
            new Run(6, 0, 1, new Run.Output(9, OptionalInt.empty())));
    var step =
        new dev.cloister.engine.stage.Step(
            operations,
            runs,
            ByteBuffer.wrap(new byte[] {1, 2, 3, 4}),
            dev.cloister.engine.stage.Step.Precision.F16,
            "it failed");
    StepResult result =
        new StepResult(
            List.of(
                new Choice.Token(5, null),
                new Choice.Token(
                    6, new TokenProbabilities(-1, new int[] {6, 7}, new float[] {-1, -2})),
                new Choice.Refused("refused"),
                new Choice.Failed("failed")),
            "");
    Call call = call();
    stage.outlet().send(new dev.cloister.engine.stage.StageFrame(1, step));
    stage.outlet().send(new dev.cloister.engine.stage.StageFrame(2, result));
    await().until(() -> call.frames.size() == 2);
    // Back through the other direction, and out again.
    call.frames.forEach(call.out::onNext);
    await().until(() -> stage.frames.size() == 2);
    stage.frames.forEach(stage.outlet()::send);
    await().until(() -> call.frames.size() == 4);
    assertThat(call.frames.subList(2, 4)).isEqualTo(call.frames.subList(0, 2));
    var received = (dev.cloister.engine.stage.Step) stage.frames.getFirst().content();
    assertThat(received.runs()).isEqualTo(runs);
    assertThat(received.operations().subList(0, 8)).isEqualTo(operations.subList(0, 8));
    var open = (StageOperation.OpenSampler) received.operations().getLast();
    assertThat(open.sampling().seed()).isEqualTo(sampling.seed());
    assertThat(open.sampling().logitBias()).isEqualTo(sampling.logitBias());
    assertThat(open.grammar()).contains("root ::= \"a\"");
    assertThat(open.prompt()).containsExactly(1, 2);
    assertThat(open.generated()).containsExactly(3);
    assertThat(received.hidden()).isEqualTo(ByteBuffer.wrap(new byte[] {1, 2, 3, 4}));
    assertThat(received.failure()).isEqualTo("it failed");
  }

  @Test
  void aSecondCallTakesOver() {
    loading.complete(stage);
    Call first = call();
    first.out.onNext(empty(1));
    await().until(() -> stage.frames.size() == 1);
    Call second = call();
    assertThat(first.awaitEnd().getCode()).isEqualTo(Status.Code.ABORTED);
    assertThat(stage.ends).hasSize(1);
    second.out.onNext(empty(1));
    await().until(() -> stage.frames.size() == 2);
    second.out.onCompleted();
    await().until(() -> stage.ends.size() == 2);
    assertThat(second.awaitEnd().isOk()).isTrue();
  }

  @Test
  void whatTheStageRefusesEndsTheCallWithItsSentence() {
    loading.complete(stage);
    Call call = call();
    stage.outlet().refuse("frame 3 follows frame 1");
    Status end = call.awaitEnd();
    assertThat(end.getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(end.getDescription()).isEqualTo("frame 3 follows frame 1");
    await().until(() -> stage.ends.size() == 1);
    // What still comes out is sent to nobody.
    stage.outlet().send(new dev.cloister.engine.stage.StageFrame(1, new StepResult(List.of(), "")));
    stage.outlet().taken();
  }

  @Test
  void malformedFramesNeverReachTheStage() {
    loading.complete(stage);
    for (StageFrame frame :
        List.of(
            StageFrame.newBuilder().setNumber(1).build(),
            StageFrame.newBuilder().setNumber(1).setStep(Step.getDefaultInstance()).build(),
            withOperation(dev.cloister.proto.engine.v1.StageOperation.newBuilder()),
            withOperation(
                dev.cloister.proto.engine.v1.StageOperation.newBuilder()
                    .setOpen(
                        dev.cloister.proto.engine.v1.OpenSampler.newBuilder()
                            .setSampling(
                                dev.cloister.proto.inference.v1.Sampling.newBuilder()
                                    .setTemperature(Float.NaN)))))) {
      Call call = call();
      call.out.onNext(frame);
      assertThat(call.awaitEnd().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    }
    assertThat(stage.frames).isEmpty();
  }

  private static StageFrame withOperation(
      dev.cloister.proto.engine.v1.StageOperation.Builder operation) {
    StageFrame.Builder frame = empty(1).toBuilder();
    frame.getStepBuilder().addOperations(operation);
    return frame.build();
  }

  @Test
  void aFrameOf64MebibytesEndsItsCallOnly() {
    loading.complete(stage);
    StageFrame.Builder huge = empty(1).toBuilder();
    huge.getStepBuilder().setHidden(ByteString.copyFrom(new byte[64 << 20]));
    Call call = call();
    call.out.onNext(huge.build());
    assertThat(call.awaitEnd().isOk()).isFalse();
    await().until(() -> stage.ends.size() == 1);
    assertThat(stage.frames).isEmpty();
    call().out.onNext(empty(1));
    await().until(() -> stage.frames.size() == 1);
  }

  @Test
  void framesThatAreNotTakenHoldTheOthersBack() {
    loading.complete(stage);
    Call call = call();
    for (int number = 1; number <= 50; number++) {
      call.out.onNext(empty(number));
    }
    await().during(Duration.ofMillis(200)).until(() -> stage.frames.size() == 2);
    for (int number = 3; number <= 50; number++) {
      stage.outlet().taken();
    }
    await().until(() -> stage.frames.size() == 50);
  }

  @Test
  void theFirstStageIsReadyWhileItsRingIsClosed() {
    loading.complete(stage);
    Iterator<ModelState> states =
        EngineServiceGrpc.newBlockingStub(socket.channel)
            .withDeadlineAfter(20, TimeUnit.SECONDS)
            .watchModel(WatchModelRequest.getDefaultInstance());
    assertThat(states.next().hasLoading()).isTrue();
    assertThat(states.next().hasStaged()).isTrue();
    stage.closed.accept(true);
    assertThat(states.next().getReady().getEngine()).isEqualTo("fake");
    stage.closed.accept(false);
    assertThat(states.next().hasStaged()).isTrue();
  }

  private static final class Call implements StreamObserver<StageFrame> {
    final List<StageFrame> frames = new CopyOnWriteArrayList<>();
    final CompletableFuture<Status> end = new CompletableFuture<>();
    final StreamObserver<StageFrame> out;

    Call(StageServiceGrpc.StageServiceStub stub) {
      out = stub.run(this);
    }

    Status awaitEnd() {
      return end.orTimeout(20, TimeUnit.SECONDS).join();
    }

    @Override
    public void onNext(StageFrame frame) {
      frames.add(frame);
    }

    @Override
    public void onError(Throwable failure) {
      end.complete(Status.fromThrowable(failure));
    }

    @Override
    public void onCompleted() {
      end.complete(Status.OK);
    }
  }

  /** Keeps what goes in. */
  private static final class FakeStage extends FakeModel implements RingStage {
    final List<dev.cloister.engine.stage.StageFrame> frames = new CopyOnWriteArrayList<>();
    final List<String> ends = new CopyOnWriteArrayList<>();
    private volatile @Nullable Outlet outlet;
    volatile Consumer<Boolean> closed = _ -> {};

    /** Where frames come out of the last call. */
    Outlet outlet() {
      await().until(() -> outlet != null);
      return Objects.requireNonNull(outlet);
    }

    @Override
    public Inlet connect(Outlet to) {
      outlet = to;
      return new Inlet() {
        @Override
        public void give(dev.cloister.engine.stage.StageFrame frame) {
          frames.add(frame);
        }

        @Override
        public void end() {
          ends.add("end");
        }
      };
    }

    @Override
    public void onClosed(Consumer<Boolean> listener) {
      closed = listener;
    }
  }

  private static class FakeModel implements LoadedModel {
    @Override
    public ModelFacts facts() {
      return new ModelFacts(1, 1, "fake", true, Set.of(ModelFacts.Use.GENERATE));
    }

    @Override
    public Running generate(Generation generation, GenerationListener listener) {
      return () -> {};
    }

    @Override
    public Embeddings embed(List<String> texts) {
      return new Embeddings(List.of(), 0);
    }

    @Override
    public Scores rerank(String query, List<String> documents) {
      return new Scores(List.of(), 0);
    }

    @Override
    public int[] tokenize(String text, boolean addSpecial, boolean parseSpecial) {
      return new int[0];
    }

    @Override
    public String detokenize(int[] tokens) {
      return "";
    }

    @Override
    public void close() {}
  }
}
