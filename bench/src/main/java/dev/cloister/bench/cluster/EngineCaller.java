package dev.cloister.bench.cluster;

import dev.cloister.agent.engine.EngineClient;
import dev.cloister.proto.engine.v1.GenerateRequest;
import dev.cloister.proto.inference.v1.ChatMessage;
import dev.cloister.proto.inference.v1.ChatPrompt;
import dev.cloister.proto.inference.v1.Generation;
import dev.cloister.proto.inference.v1.GenerationEvent;
import dev.cloister.proto.inference.v1.Sampling;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** Asks an engine process on its socket, as its agent does. One question after the other. */
final class EngineCaller implements AutoCloseable {
  private final EngineClient engine;
  private final String tenant;

  /**
   * @param socket where the engine listens
   * @param tenant who asks, as the agent would say: what the engine holds is held for each alone
   */
  EngineCaller(Path socket, String tenant) {
    this.engine = new EngineClient(socket);
    this.tenant = tenant;
  }

  /**
   * Asks, and waits for the whole answer.
   *
   * @throws IOException if there is none
   */
  TimedAnswer ask(Question question) throws IOException, InterruptedException {
    Sampling.Builder sampling = Sampling.newBuilder().setTemperature(0);
    question
        .logitBias()
        .forEach((token, bias) -> sampling.addLogitBiasBuilder().setToken(token).setBias(bias));
    Generation generation =
        Generation.newBuilder()
            .setChat(
                ChatPrompt.newBuilder()
                    .addMessages(
                        ChatMessage.newBuilder()
                            .setRole(ChatMessage.Role.ROLE_USER)
                            .setContent(question.text())))
            .setMaxTokens(question.maxTokens())
            .setSampling(sampling)
            .build();
    Events events = new Events();
    engine.generate(generation, tenant, List.of(), events);
    try {
      return events.end.get();
    } catch (ExecutionException e) {
      throw new IOException("the engine does not answer: " + e.getCause(), e);
    }
  }

  @Override
  public void close() {
    engine.close();
  }

  private static final class Events
      implements ClientResponseObserver<GenerateRequest, GenerationEvent> {
    final CompletableFuture<TimedAnswer> end = new CompletableFuture<>();
    private final long askedNanos = System.nanoTime();
    private final List<Long> pieceNanos = new ArrayList<>();

    @Override
    public void beforeStart(ClientCallStreamObserver<GenerateRequest> call) {}

    @Override
    public void onNext(GenerationEvent event) {
      if (event.hasText()) {
        pieceNanos.add(System.nanoTime());
      } else if (event.hasFinished()) {
        int tokens = event.getFinished().getUsage().getCompletionTokens();
        try {
          end.complete(TimedAnswer.of(tokens, askedNanos, pieceNanos));
        } catch (IOException e) {
          end.completeExceptionally(e);
        }
      } else if (event.hasFailed()) {
        end.completeExceptionally(new IOException(event.getFailed().getMessage()));
      }
    }

    @Override
    public void onError(Throwable broken) {
      end.completeExceptionally(broken);
    }

    @Override
    public void onCompleted() {
      end.completeExceptionally(new IOException("an answer ended without its end"));
    }
  }
}
