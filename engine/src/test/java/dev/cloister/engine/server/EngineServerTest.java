package dev.cloister.engine.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.cloister.engine.generation.AnswerPart;
import dev.cloister.engine.generation.FailureCode;
import dev.cloister.engine.generation.FinishReason;
import dev.cloister.engine.generation.Generation;
import dev.cloister.engine.generation.GenerationListener;
import dev.cloister.engine.generation.LoadedModel;
import dev.cloister.engine.generation.ModelFacts;
import dev.cloister.engine.generation.RequestException;
import dev.cloister.engine.generation.Usage;
import dev.cloister.proto.engine.v1.DetokenizeRequest;
import dev.cloister.proto.engine.v1.EmbedRequest;
import dev.cloister.proto.engine.v1.EngineServiceGrpc;
import dev.cloister.proto.engine.v1.GenerateRequest;
import dev.cloister.proto.engine.v1.RerankRequest;
import dev.cloister.proto.engine.v1.TokenizeRequest;
import dev.cloister.proto.inference.v1.GenerationEvent;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The server over a real socket, with a model that talks without end. */
class EngineServerTest {

  private static final String KILOBYTE = "x".repeat(1024);

  @TempDir Path directory;
  private final CompletableFuture<LoadedModel> loading = new CompletableFuture<>();
  private final Talker talker = new Talker();
  private ServedSocket socket;

  @BeforeEach
  void start() throws IOException {
    socket = new ServedSocket(directory, loading);
  }

  @AfterEach
  void stop() {
    socket.close();
  }

  @Test
  void generateBeforeTheModelIsReadyIsUnavailable() {
    assertThatThrownBy(() -> ask().next())
        .satisfies(
            e -> assertThat(Status.fromThrowable(e).getCode()).isEqualTo(Status.Code.UNAVAILABLE));
  }

  @Test
  void callerThatDoesNotReadHoldsTheAnswerBackUntilItGoesAway() {
    loading.complete(talker);
    Context.CancellableContext context = Context.current().withCancellation();
    context.run(
        () -> {
          Iterator<GenerationEvent> events = ask();
          assertThat(events.next().getText().getText()).isEqualTo(KILOBYTE);
        });
    await().until(() -> talker.thread.getState() == Thread.State.WAITING);
    // gRPC's window is a megabyte; what was said beyond it would pile up here.
    assertThat(talker.said).hasValueLessThan(4 * 1024);
    context.cancel(null);
    await().atMost(Duration.ofSeconds(5)).until(() -> talker.ended);
  }

  @Test
  void callerThatReadsSlowlyGetsEverything() {
    talker.limit = 10_000;
    loading.complete(talker);
    Iterator<GenerationEvent> events = ask();
    int pieces = 0;
    GenerationEvent event = events.next();
    while (event.hasText()) {
      pieces++;
      event = events.next();
    }
    assertThat(pieces).isEqualTo(10_000);
    assertThat(event.hasFinished()).isTrue();
    assertThat(events.hasNext()).isFalse();
  }

  @Test
  void otherRequestsAreAnsweredAndTheirRefusalsAreStatuses() {
    loading.complete(talker);
    var stub = EngineServiceGrpc.newBlockingStub(socket.channel).withWaitForReady();
    var tokens = stub.tokenize(TokenizeRequest.newBuilder().setText("ab").build()).getTokensList();
    assertThat(tokens).containsExactly(97, 98);
    var text = stub.detokenize(DetokenizeRequest.newBuilder().addAllTokens(tokens).build());
    assertThat(text.getText()).isEqualTo("ab");
    var scores = stub.rerank(RerankRequest.newBuilder().setQuery("q").addDocuments("abc").build());
    assertThat(scores.getScoresList()).containsExactly(3f);
    assertThatThrownBy(() -> stub.embed(EmbedRequest.newBuilder().addTexts("a").build()))
        .hasMessage("FAILED_PRECONDITION: a talker does not embed");
  }

  @Test
  void takesAsLongAPromptAsTheHttpApi() {
    talker.limit = 1;
    loading.complete(talker);
    assertThat(ask(KILOBYTE.repeat(8 << 10)).next().hasText()).isTrue();
  }

  @Test
  void withoutUnixSocketsOnlyWhoReadsTheFileCanCall() throws Exception {
    loading.complete(talker);
    Path file = directory.resolve("loopback");
    try (EngineServer _ = EngineServer.start(file, EngineServer.Kind.LOOPBACK, loading)) {
      List<String> line = List.of(Files.readString(file).strip().split(" "));
      assertThat(line).hasSize(3).startsWith("cloister-engine-loopback");
      if (file.getFileSystem().supportedFileAttributeViews().contains("posix")) {
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
            .isEqualTo("rw-------");
      }
      ManagedChannel tcp =
          NettyChannelBuilder.forAddress("127.0.0.1", Integer.parseInt(line.get(1)))
              .usePlaintext()
              .build();
      assertThat(detokenized(tcp, Optional.of(line.get(2)))).isEqualTo("a");
      for (Optional<String> wrong : List.of(Optional.<String>empty(), Optional.of("x"))) {
        assertThatThrownBy(() -> detokenized(tcp, wrong))
            .hasMessage("UNAUTHENTICATED: the engine's secret is missing or wrong");
      }
      tcp.shutdownNow();
      // What a killed process left is replaced.
      EngineServer.start(file, EngineServer.Kind.LOOPBACK, loading).close();
      assertThat(file).doesNotExist();
    }
  }

  private static String detokenized(ManagedChannel channel, Optional<String> secret) {
    Metadata headers = new Metadata();
    secret.ifPresent(
        text ->
            headers.put(
                Metadata.Key.of("cloister-engine-secret", Metadata.ASCII_STRING_MARSHALLER), text));
    return EngineServiceGrpc.newBlockingStub(channel)
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
        .detokenize(DetokenizeRequest.newBuilder().addTokens('a').build())
        .getText();
  }

  private Iterator<GenerationEvent> ask() {
    return ask("Talk.");
  }

  private Iterator<GenerationEvent> ask(String prompt) {
    var generation = dev.cloister.proto.inference.v1.Generation.newBuilder().setText(prompt);
    return EngineServiceGrpc.newBlockingStub(socket.channel)
        .withWaitForReady()
        .generate(GenerateRequest.newBuilder().setGeneration(generation).build());
  }

  /** Says kilobytes as fast as it is let. */
  private static final class Talker implements LoadedModel {
    final AtomicInteger said = new AtomicInteger();
    final Semaphore wake = new Semaphore(0);
    volatile int limit = Integer.MAX_VALUE;
    volatile boolean cancelled;
    volatile boolean ended;
    volatile Thread thread = Thread.currentThread();

    @Override
    public ModelFacts facts() {
      return new ModelFacts(1, 1, "talker", true, Set.of(ModelFacts.Use.GENERATE));
    }

    @Override
    public Running generate(Generation generation, GenerationListener listener) {
      thread = Thread.ofPlatform().daemon().start(() -> talk(listener));
      return new Running() {
        @Override
        public void cancel() {
          cancelled = true;
          wake.release();
        }

        @Override
        public void resume() {
          wake.release();
        }
      };
    }

    private void talk(GenerationListener listener) {
      while (!cancelled && said.get() < limit) {
        if (!listener.ready()) {
          wake.acquireUninterruptibly();
          continue;
        }
        listener.part(new AnswerPart.Text(KILOBYTE));
        said.incrementAndGet();
      }
      listener.finished(
          cancelled ? FinishReason.CANCELLED : FinishReason.LENGTH, new Usage(1, 0, said.get()));
      ended = true;
    }

    @Override
    public Embeddings embed(List<String> texts) throws RequestException {
      throw new RequestException(FailureCode.UNSUPPORTED, "a talker does not embed");
    }

    @Override
    public Scores rerank(String query, List<String> documents) {
      return new Scores(documents.stream().map(d -> (float) d.length()).toList(), 1);
    }

    @Override
    public int[] tokenize(String text, boolean addSpecial, boolean parseSpecial) {
      return text.chars().toArray();
    }

    @Override
    public String detokenize(int[] tokens) {
      return new String(tokens, 0, tokens.length);
    }

    @Override
    public void close() {}
  }
}
