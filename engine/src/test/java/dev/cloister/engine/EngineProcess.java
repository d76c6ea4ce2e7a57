package dev.cloister.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.proto.engine.v1.EngineServiceGrpc;
import dev.cloister.proto.engine.v1.GenerateRequest;
import dev.cloister.proto.engine.v1.ModelState;
import dev.cloister.proto.engine.v1.WatchModelRequest;
import dev.cloister.proto.inference.v1.ChatMessage;
import dev.cloister.proto.inference.v1.ChatPrompt;
import dev.cloister.proto.inference.v1.Generation;
import dev.cloister.proto.inference.v1.GenerationEvent;
import dev.cloister.proto.inference.v1.Sampling;
import dev.cloister.proto.inference.v1.TokenLogprob;
import dev.cloister.proto.inference.v1.ToolCall;
import dev.cloister.proto.inference.v1.ToolCallDelta;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A real engine process and a channel to it. */
final class EngineProcess implements AutoCloseable {

  static final Path DEMO_MODEL =
      Path.of("..", "models", "demo", "cloister-tiny-q8_0.gguf").toAbsolutePath().normalize();

  private static final MultiThreadIoEventLoopGroup EVENT_LOOP =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());

  final Process process;
  final Path socket;
  final Path standardOutput;
  final Path standardError;
  final ManagedChannel channel;

  private EngineProcess(Process process, Path socket, Path standardOutput, Path standardError) {
    this.process = process;
    this.socket = socket;
    this.standardOutput = standardOutput;
    this.standardError = standardError;
    this.channel =
        NettyChannelBuilder.forAddress(UnixDomainSocketAddress.of(socket))
            .channelType(NioDomainSocketChannel.class, UnixDomainSocketAddress.class)
            .eventLoopGroup(EVENT_LOOP)
            .withOption(ChannelOption.SO_KEEPALIVE, null)
            .usePlaintext()
            .build();
  }

  /** Starts a process on the library that comes with Cloister. */
  static EngineProcess start(Path directory, Path model, String... flags) throws IOException {
    return start(EngineLibrary.B4916, directory, model, flags);
  }

  /** Starts a process with its socket and output in the directory. */
  static EngineProcess start(EngineLibrary library, Path directory, Path model, String... flags)
      throws IOException {
    Path socket = directory.resolve("engine.sock");
    List<String> command =
        new ArrayList<>(
            List.of(
                "--model", model.toString(),
                "--socket", socket.toString(),
                "--library-cache", library.cache().orElseThrow().toString()));
    command.addAll(List.of(flags));
    return launch(directory, socket, command);
  }

  static EngineProcess launch(Path directory, Path socket, List<String> flags) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Xshare:auto",
            "-Xmx128m",
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-cp",
            System.getProperty("java.class.path"),
            "dev.cloister.engine.EngineMain"));
    command.addAll(flags);
    Path out = directory.resolve("out.txt");
    Path err = directory.resolve("err.txt");
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start();
    return new EngineProcess(process, socket, out, err);
  }

  EngineServiceGrpc.EngineServiceBlockingStub stub() {
    return EngineServiceGrpc.newBlockingStub(channel)
        .withWaitForReady()
        .withDeadlineAfter(30, TimeUnit.SECONDS);
  }

  /** The state after loading. */
  ModelState awaitLoaded() {
    Iterator<ModelState> states = stub().watchModel(WatchModelRequest.getDefaultInstance());
    ModelState state = states.next();
    assertThat(state.hasLoading()).isTrue();
    while (state.hasLoading()) {
      state = states.next();
    }
    return state;
  }

  EngineProcess ready() {
    assertThat(awaitLoaded().hasReady()).isTrue();
    return this;
  }

  Answer ask(Generation generation) {
    return Answer.of(stub().generate(request(generation)));
  }

  Answer ask(String question) {
    return ask(greedy(question).build());
  }

  static GenerateRequest request(Generation generation) {
    return GenerateRequest.newBuilder().setGeneration(generation).build();
  }

  static Generation.Builder greedy(String question) {
    return Generation.newBuilder()
        .setChat(
            ChatPrompt.newBuilder()
                .addMessages(
                    ChatMessage.newBuilder()
                        .setRole(ChatMessage.Role.ROLE_USER)
                        .setContent(question)))
        .setSampling(Sampling.newBuilder().setTemperature(0));
  }

  String errors() throws IOException {
    return Files.readString(standardError);
  }

  @Override
  public void close() {
    channel.shutdownNow();
    process.destroyForcibly();
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** One answer as its events told it; {@code last} is the finished or failed event. */
  record Answer(
      int promptTokens,
      int cachedTokens,
      List<String> pieces,
      List<TokenLogprob> logprobs,
      String reasoning,
      List<ToolCall> toolCalls,
      GenerationEvent last) {

    static Answer of(Iterator<GenerationEvent> events) {
      int promptTokens = 0;
      int cachedTokens = 0;
      List<String> pieces = new ArrayList<>();
      List<TokenLogprob> logprobs = new ArrayList<>();
      StringBuilder reasoning = new StringBuilder();
      List<ToolCall.Builder> calls = new ArrayList<>();
      GenerationEvent last = GenerationEvent.getDefaultInstance();
      while (events.hasNext()) {
        GenerationEvent event = events.next();
        assertThat(last.hasFinished() || last.hasFailed()).as("ended before").isFalse();
        switch (event.getEventCase()) {
          case STARTED -> {
            promptTokens = event.getStarted().getPromptTokens();
            cachedTokens = event.getStarted().getCachedPromptTokens();
          }
          case TEXT -> {
            if (!event.getText().getText().isEmpty()) {
              pieces.add(event.getText().getText());
            }
            logprobs.addAll(event.getText().getLogprobsList());
          }
          case REASONING -> reasoning.append(event.getReasoning().getText());
          case TOOL_CALL -> {
            ToolCallDelta piece = event.getToolCall();
            if (!piece.getId().isEmpty()) {
              assertThat(piece.getIndex()).isEqualTo(calls.size());
              calls.add(ToolCall.newBuilder().setId(piece.getId()).setName(piece.getName()));
            }
            ToolCall.Builder call = calls.get(piece.getIndex());
            call.setArguments(call.getArguments() + piece.getArguments());
          }
          case FINISHED, FAILED -> last = event;
          case EVENT_NOT_SET -> throw new AssertionError("an event without content");
        }
      }
      return new Answer(
          promptTokens,
          cachedTokens,
          pieces,
          logprobs,
          reasoning.toString(),
          calls.stream().map(ToolCall.Builder::build).toList(),
          last);
    }

    String text() {
      return String.join("", pieces);
    }
  }
}
