package dev.cloister.bench;

import dev.cloister.agent.engine.EngineClient;
import dev.cloister.agent.engine.Readiness;
import dev.cloister.engine.generation.AnswerPart;
import dev.cloister.engine.generation.FinishReason;
import dev.cloister.engine.generation.Generation;
import dev.cloister.engine.generation.GenerationListener;
import dev.cloister.engine.generation.LoadedModel;
import dev.cloister.engine.generation.ModelFacts;
import dev.cloister.engine.generation.RequestException;
import dev.cloister.engine.generation.Usage;
import dev.cloister.engine.generation.prompt.Prompt;
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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * What the way from the engine's listener to the agent costs: the real server and client over a
 * real socket, in one process so that both have one clock.
 */
final class HopMeter implements AutoCloseable {
  private static final int TOKENS = 200;

  /** What ends an answer in the demo model and others of its kind. */
  private static final List<String> ENDS = List.of("<|im_end|>", "</s>", "<|endoftext|>");

  private final Path directory = Files.createTempDirectory("cloister-hop-");
  private final LoadedModel model;
  private final Stamped stamped;
  private final EngineServer server;
  private final EngineClient client;
  private final Map<Integer, Float> endless;

  /**
   * @param addedMillis how much longer a token takes through the hop than without it
   * @param latencyMillis from the listener in the engine to the observer in the agent, median
   */
  record Cost(double addedMillis, double latencyMillis) {}

  HopMeter(LoadedModel model) throws IOException {
    this.model = model;
    this.endless = endless(model);
    this.stamped = new Stamped(model);
    Path socket = directory.resolve("s");
    server = EngineServer.start(socket, CompletableFuture.completedFuture(stamped));
    client = new EngineClient(socket);
    Readiness.of(client).ready().join();
  }

  /** Biases that keep an answer from ending. */
  private static Map<Integer, Float> endless(LoadedModel model) {
    Map<Integer, Float> biases = new HashMap<>();
    for (String end : ENDS) {
      try {
        int[] token = model.tokenize(end, false, true);
        if (token.length == 1) {
          biases.put(token[0], -100f);
        }
      } catch (RequestException e) {
        throw new IllegalStateException(e);
      }
    }
    return biases;
  }

  /** The same answers without the hop and through it, in turns. */
  Cost measure(int answers) throws InterruptedException {
    List<Long> latencies = new ArrayList<>();
    List<Double> added = new ArrayList<>();
    for (int seed = 1; seed <= answers; seed++) {
      long begin = System.nanoTime();
      int tokens = TokenMeter.run(model, List.of(generation(seed))).getFirst().tokens();
      long without = System.nanoTime() - begin;
      begin = System.nanoTime();
      CompletableFuture<Void> end = new CompletableFuture<>();
      client.generate(wire(seed), "bench", List.of(), new Arrivals(stamped.sent, latencies, end));
      end.join();
      long through = System.nanoTime() - begin;
      added.add((through - without) / 1e6 / tokens);
    }
    latencies.sort(null);
    added.sort(null);
    return new Cost(added.get(added.size() / 2), latencies.get(latencies.size() / 2) / 1e6);
  }

  /**
   * Answers of the same length: nearly every token is as likely as any other, and none ends them.
   * Short ones would count the request as part of their tokens.
   */
  private Generation generation(int seed) {
    return new Generation(
        new Prompt.Text("Monday, Tuesday, "),
        new dev.cloister.engine.generation.Sampling.Builder()
            .temperature(2)
            .topK(0)
            .topP(1)
            .minP(0)
            .seed(seed)
            .logitBias(endless)
            .build(),
        TOKENS,
        List.of());
  }

  private dev.cloister.proto.inference.v1.Generation wire(int seed) {
    Sampling.Builder sampling =
        Sampling.newBuilder().setTemperature(2).setMinP(0).setTopP(1).setTopK(0).setSeed(seed);
    endless.forEach((token, bias) -> sampling.addLogitBiasBuilder().setToken(token).setBias(bias));
    return dev.cloister.proto.inference.v1.Generation.newBuilder()
        .setText("Monday, Tuesday, ")
        .setMaxTokens(TOKENS)
        .setSampling(sampling)
        .build();
  }

  @Override
  public void close() throws IOException {
    client.close();
    server.close();
    Files.delete(directory);
  }

  private record Arrivals(Queue<Long> sent, List<Long> nanos, CompletableFuture<Void> end)
      implements ClientResponseObserver<GenerateRequest, GenerationEvent> {
    @Override
    public void beforeStart(ClientCallStreamObserver<GenerateRequest> call) {}

    @Override
    public void onNext(GenerationEvent event) {
      // A token without text of its own makes no event, on either side.
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
    public ModelFacts facts() {
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
            public void token(int token) {
              listener.token(token);
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
            public void failed(RequestException why) {
              listener.failed(why);
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
