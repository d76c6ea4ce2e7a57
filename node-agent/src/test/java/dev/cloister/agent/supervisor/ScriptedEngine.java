package dev.cloister.agent.supervisor;

import com.google.protobuf.ByteString;
import dev.cloister.proto.engine.v1.EngineServiceGrpc;
import dev.cloister.proto.engine.v1.GenerateRequest;
import dev.cloister.proto.engine.v1.LoadFailure;
import dev.cloister.proto.engine.v1.Loading;
import dev.cloister.proto.engine.v1.ModelState;
import dev.cloister.proto.engine.v1.Ready;
import dev.cloister.proto.engine.v1.Staged;
import dev.cloister.proto.engine.v1.WatchModelRequest;
import dev.cloister.proto.inference.v1.Finished;
import dev.cloister.proto.inference.v1.GenerationEvent;
import dev.cloister.proto.inference.v1.ReasoningDelta;
import dev.cloister.proto.inference.v1.Started;
import dev.cloister.proto.inference.v1.TextDelta;
import dev.cloister.proto.inference.v1.TokenLogprob;
import dev.cloister.proto.inference.v1.TokenProbability;
import dev.cloister.proto.inference.v1.ToolCallDelta;
import dev.cloister.proto.inference.v1.Usage;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/**
 * An engine process without a model. Its first argument is a directory: the file {@code mood} in it
 * says how it behaves, and it adds its process id to {@code pids} and writes its arguments to
 * {@code command-line} there. A prompt {@code die} makes it abort in the middle of an answer,
 * {@code wait} never ends, {@code flood} is 10,000 pieces, to {@code repeat} it says what it was
 * asked, to {@code everything} it sends every kind of event, and {@code flow} is 64 MiB, as fast as
 * they are taken.
 */
public final class ScriptedEngine {
  /** An answer with every kind of event and all their fields. */
  public static List<GenerationEvent> everything() {
    TokenProbability token =
        TokenProbability.newBuilder()
            .setId(7)
            .setText(ByteString.copyFrom(new byte[] {(byte) 0xe2}))
            .setLogprob(-0.5f)
            .build();
    return List.of(
        GenerationEvent.newBuilder()
            .setStarted(Started.newBuilder().setPromptTokens(9).setCachedPromptTokens(4))
            .build(),
        GenerationEvent.newBuilder()
            .setReasoning(ReasoningDelta.newBuilder().setText("hm"))
            .build(),
        GenerationEvent.newBuilder()
            .setText(
                TextDelta.newBuilder()
                    .setText("a")
                    .addLogprobs(TokenLogprob.newBuilder().setToken(token).addTop(token)))
            .addTokens(6)
            .addTokens(7)
            .build(),
        GenerationEvent.newBuilder()
            .setToolCall(
                ToolCallDelta.newBuilder()
                    .setIndex(1)
                    .setId("call")
                    .setName("tool")
                    .setArguments("{"))
            .build(),
        GenerationEvent.newBuilder()
            .setFinished(
                Finished.newBuilder()
                    .setReason(Finished.Reason.REASON_TOOL_CALLS)
                    .setUsage(
                        Usage.newBuilder()
                            .setPromptTokens(9)
                            .setCachedPromptTokens(4)
                            .setCompletionTokens(3)))
            .build());
  }

  /** How the engine behaves. */
  enum Mood {
    WELL,
    /** A stage whose pipeline is not closed. */
    STAGED,
    /** The first stage of a pipeline that closes and breaks. */
    RING_BREAKS,
    FAILS_TO_LOAD,
    DIES_LOADING,
    LOADS_FOR_EVER,
    LOADS_IN_SMALL_STEPS,
    NEVER_LISTENS,
    IGNORES_TERMINATION
  }

  private ScriptedEngine() {}

  /** The command for an {@link EngineLauncher}. */
  public static List<String> command(Path stage) {
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        "--enable-native-access=ALL-UNNAMED",
        "--sun-misc-unsafe-memory-access=allow",
        "-cp",
        System.getProperty("java.class.path"),
        ScriptedEngine.class.getName(),
        stage.toString());
  }

  public static void main(String[] arguments) throws Exception {
    Path stage = Path.of(arguments[0]);
    Mood mood = Mood.valueOf(Files.readString(stage.resolve("mood")));
    Path socket = Path.of(arguments[Arrays.asList(arguments).indexOf("--socket") + 1]);
    List<String> line = new ArrayList<>(List.of(arguments));
    line.add(String.valueOf(System.getenv("GGML_NO_BACKTRACE")));
    Files.write(stage.resolve("command-line"), line);
    Files.writeString(
        stage.resolve("pids"),
        ProcessHandle.current().pid() + "\n",
        StandardOpenOption.CREATE,
        StandardOpenOption.APPEND);
    if (mood == Mood.IGNORES_TERMINATION) {
      Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(ScriptedEngine::sleep));
    } else {
      Thread.ofPlatform().daemon().start(ScriptedEngine::exitWithAgent);
    }
    if (mood == Mood.NEVER_LISTENS) {
      sleep();
    }
    EventLoopGroup loops = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    NettyServerBuilder.forAddress(UnixDomainSocketAddress.of(socket))
        .channelType(NioServerDomainSocketChannel.class)
        .bossEventLoopGroup(loops)
        .workerEventLoopGroup(loops)
        .withChildOption(ChannelOption.SO_KEEPALIVE, null)
        .addService(new Service(mood, stage))
        .build()
        .start()
        .awaitTermination();
  }

  private static void exitWithAgent() {
    try {
      while (System.in.read() >= 0) {
        // Nothing is sent.
      }
    } catch (IOException e) {
      // As good as the end.
    }
    Runtime.getRuntime().halt(0);
  }

  private static void sleep() {
    try {
      new CountDownLatch(1).await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static final class Service extends EngineServiceGrpc.EngineServiceImplBase {
    private final Mood mood;
    private final Path stage;

    Service(Mood mood, Path stage) {
      this.mood = mood;
      this.stage = stage;
    }

    @Override
    public void watchModel(WatchModelRequest request, StreamObserver<ModelState> states) {
      int steps = mood == Mood.LOADS_IN_SMALL_STEPS ? 5_000 : 4;
      for (int step = 1; step < steps; step++) {
        states.onNext(loading(step / (float) steps));
      }
      switch (mood) {
        case STAGED -> states.onNext(staged());
        case RING_BREAKS -> {
          states.onNext(staged());
          states.onNext(ready());
          states.onNext(staged());
        }
        case WELL, IGNORES_TERMINATION -> states.onNext(ready());
        case LOADS_IN_SMALL_STEPS -> {
          states.onNext(loading(1));
          states.onNext(ready());
        }
        case FAILS_TO_LOAD -> {
          states.onNext(
              ModelState.newBuilder()
                  .setFailed(LoadFailure.newBuilder().setMessage("the file is no model"))
                  .build());
          states.onCompleted();
        }
        case DIES_LOADING -> {
          System.err.println("GGML_ASSERT failed");
          Runtime.getRuntime().halt(134);
        }
        case LOADS_FOR_EVER, NEVER_LISTENS -> {}
      }
    }

    private static ModelState loading(float progress) {
      return ModelState.newBuilder().setLoading(Loading.newBuilder().setProgress(progress)).build();
    }

    private static ModelState staged() {
      return ModelState.newBuilder().setStaged(Staged.getDefaultInstance()).build();
    }

    private static ModelState ready() {
      return ModelState.newBuilder()
          .setReady(
              Ready.newBuilder()
                  .setContextTokens(64)
                  .setSlots(2)
                  .setEngine("script")
                  .setFull(true)
                  .setGenerates(true)
                  .setEmbeds(true))
          .build();
    }

    @Override
    public void generate(GenerateRequest request, StreamObserver<GenerationEvent> events) {
      switch (request.getGeneration().getText()) {
        case "die" -> {
          events.onNext(text("half an "));
          Runtime.getRuntime().halt(134);
        }
        case "wait" -> {
          ((ServerCallStreamObserver<GenerationEvent>) events)
              .setOnCancelHandler(() -> write(stage.resolve("cancelled"), "yes"));
          events.onNext(text("begun"));
        }
        case "flood" -> {
          for (int i = 0; i < 10_000; i++) {
            events.onNext(text(i + " "));
          }
          finish(events);
        }
        case "flow" -> new Flow((ServerCallStreamObserver<GenerationEvent>) events).begin();
        case "repeat" -> {
          // What it was asked, for the test to compare.
          events.onNext(text(request.getTenant()));
          events.onNext(text(HexFormat.of().formatHex(request.getGeneration().toByteArray())));
          finish(events);
        }
        case "everything" -> {
          everything().forEach(events::onNext);
          events.onCompleted();
        }
        default -> {
          events.onNext(text("answer"));
          finish(events);
        }
      }
    }

    /** Sends while it is asked for more, and writes down how much that was. */
    private final class Flow {
      private static final int PIECES = 4_096;
      private static final String PIECE = "x".repeat(16 << 10);

      private final ServerCallStreamObserver<GenerationEvent> events;
      private int sent;

      Flow(ServerCallStreamObserver<GenerationEvent> events) {
        this.events = events;
      }

      void begin() {
        events.setOnReadyHandler(this::sendWhileReady);
      }

      private void sendWhileReady() {
        while (events.isReady() && sent < PIECES) {
          events.onNext(text(PIECE));
          sent++;
          if (sent == PIECES) {
            finish(events);
          }
        }
        write(stage.resolve("flowed"), String.valueOf(sent));
      }
    }

    private static GenerationEvent text(String piece) {
      return GenerationEvent.newBuilder().setText(TextDelta.newBuilder().setText(piece)).build();
    }

    private static void finish(StreamObserver<GenerationEvent> events) {
      events.onNext(
          GenerationEvent.newBuilder()
              .setFinished(Finished.newBuilder().setReason(Finished.Reason.REASON_STOP))
              .build());
      events.onCompleted();
    }

    private static void write(Path file, String text) {
      try {
        Files.writeString(file, text);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
