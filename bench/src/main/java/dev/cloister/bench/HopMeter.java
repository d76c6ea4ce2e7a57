package dev.cloister.bench;

import dev.cloister.agent.engine.EngineClient;
import dev.cloister.agent.engine.EngineListener;
import dev.cloister.engine.generation.AnswerPart;
import dev.cloister.engine.generation.FailureCode;
import dev.cloister.engine.generation.FinishReason;
import dev.cloister.engine.generation.Generation;
import dev.cloister.engine.generation.GenerationListener;
import dev.cloister.engine.generation.LoadedModel;
import dev.cloister.engine.generation.RequestException;
import dev.cloister.engine.generation.Usage;
import dev.cloister.engine.server.EngineServer;
import dev.cloister.proto.engine.v1.GenerateRequest;
import dev.cloister.proto.inference.v1.GenerationEvent;
import dev.cloister.proto.inference.v1.Sampling;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * How long a piece of an answer takes from the engine's listener to the agent: the real server and
 * client over a real socket, in one process so that both have one clock.
 */
final class HopMeter {

  private HopMeter() {}

  static double medianMillis(LoadedModel model, String prompt, int tokens)
      throws IOException, InterruptedException {
    Path directory = Files.createTempDirectory("cloister-hop-");
    Path socket = directory.resolve("s");
    Stamped stamped = new Stamped(model);
    List<Long> nanos = new ArrayList<>();
    try (EngineServer _ = EngineServer.start(socket, CompletableFuture.completedFuture(stamped));
        EngineClient client = new EngineClient(socket)) {
      CompletableFuture<Void> ready = new CompletableFuture<>();
      client.watch(new Ready(ready));
      ready.join();
      CompletableFuture<Void> end = new CompletableFuture<>();
      var generation =
          dev.cloister.proto.inference.v1.Generation.newBuilder()
              .setText(prompt)
              .setMaxTokens(tokens)
              .setSampling(Sampling.newBuilder().setTemperature(2).setMinP(0).setTopK(0));
      client.generate(generation.build(), "bench", new Arrivals(stamped.sent, nanos, end));
      end.join();
    } finally {
      Files.deleteIfExists(socket);
      Files.delete(directory);
    }
    long[] sorted = nanos.stream().mapToLong(Long::longValue).sorted().toArray();
    return sorted[sorted.length / 2] / 1e6;
  }

  private record Ready(CompletableFuture<Void> ready) implements EngineListener {
    @Override
    public void loading(double progress) {}

    @Override
    public void ready(dev.cloister.agent.engine.ModelFacts facts) {
      ready.complete(null);
    }

    @Override
    public void failed(String message) {
      ready.completeExceptionally(new IllegalStateException(message));
    }

    @Override
    public void lost() {}
  }

  private record Arrivals(Queue<Long> sent, List<Long> nanos, CompletableFuture<Void> end)
      implements ClientResponseObserver<GenerateRequest, GenerationEvent> {
    @Override
    public void beforeStart(ClientCallStreamObserver<GenerateRequest> call) {}

    @Override
    public void onNext(GenerationEvent event) {
      if (event.hasText()) {
        nanos.add(System.nanoTime() - sent.remove());
      }
    }

    @Override
    public void onError(Throwable broken) {
      end.completeExceptionally(broken);
    }

    @Override
    public void onCompleted() {
      end.complete(null);
    }
  }

  /** Notes when each piece leaves. */
  private record Stamped(LoadedModel model, Queue<Long> sent) implements LoadedModel {
    Stamped(LoadedModel model) {
      this(model, new ConcurrentLinkedQueue<>());
    }

    @Override
    public dev.cloister.engine.generation.ModelFacts facts() {
      return model.facts();
    }

    @Override
    public Running generate(Generation generation, GenerationListener listener) {
      return model.generate(
          generation,
          new GenerationListener() {
            @Override
            public void started(int promptTokens, int cachedTokens) {
              listener.started(promptTokens, cachedTokens);
            }

            @Override
            public boolean ready() {
              return listener.ready();
            }

            @Override
            public void part(AnswerPart part) {
              sent.add(System.nanoTime());
              listener.part(part);
            }

            @Override
            public void finished(FinishReason reason, Usage usage) {
              listener.finished(reason, usage);
            }

            @Override
            public void failed(FailureCode code, String message) {
              listener.failed(code, message);
            }
          });
    }

    @Override
    public Embeddings embed(List<String> texts) throws RequestException {
      return model.embed(texts);
    }

    @Override
    public Scores rerank(String query, List<String> documents) throws RequestException {
      return model.rerank(query, documents);
    }

    @Override
    public int[] tokenize(String text, boolean addSpecial, boolean parseSpecial)
        throws RequestException {
      return model.tokenize(text, addSpecial, parseSpecial);
    }

    @Override
    public String detokenize(int[] tokens) throws RequestException {
      return model.detokenize(tokens);
    }

    @Override
    public void close() {}
  }
}
