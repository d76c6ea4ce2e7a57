package dev.cloister.bench.split;

import dev.cloister.agent.engine.EngineClient;
import dev.cloister.proto.engine.v1.GenerateRequest;
import dev.cloister.proto.inference.v1.Generation;
import dev.cloister.proto.inference.v1.GenerationEvent;
import dev.cloister.proto.inference.v1.Sampling;
import dev.cloister.proto.inference.v1.Usage;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;

/** Takes the times of one answer of an engine process. */
final class WireMeter implements ClientResponseObserver<GenerateRequest, GenerationEvent> {
  private final CompletableFuture<Usage> end = new CompletableFuture<>();
  private final long begin = System.nanoTime();
  private volatile long first;
  private volatile long last;

  /** When tokens came, and how many at once. */
  private long[] times = new long[64];

  private int[] counts = new int[64];
  private int events;

  private WireMeter() {}

  /**
   * Begins answers to prompts that no other call has.
   *
   * @param seed of the prompts; they are letters and digits, which every vocabulary has as tokens
   */
  static List<WireMeter> ask(
      EngineClient engine, int seed, int streams, int promptTokens, int tokens) {
    List<WireMeter> meters = new ArrayList<>();
    for (int stream = 0; stream < streams; stream++) {
      Random random = new Random(1000L * seed + stream);
      StringBuilder text = new StringBuilder(promptTokens);
      for (int i = 0; i < promptTokens; i++) {
        text.append((char) ('0' + random.nextInt(10)));
      }
      WireMeter meter = new WireMeter();
      meters.add(meter);
      Generation generation =
          Generation.newBuilder()
              .setText(text.toString())
              .setMaxTokens(tokens)
              .setSampling(Sampling.newBuilder().setTemperature(0))
              .build();
      engine.generate(generation, "bench-" + seed + "-" + stream, List.of(), meter);
    }
    return meters;
  }

  /** Tokens over the time in which all answers were being written. */
  static double tokensPerSecond(List<WireMeter> meters) {
    meters.forEach(meter -> meter.end.join());
    long from = meters.stream().mapToLong(meter -> meter.first).max().orElseThrow();
    long to = meters.stream().mapToLong(meter -> meter.last).min().orElseThrow();
    double tokens = meters.stream().mapToDouble(meter -> meter.tokens(from, to)).sum();
    if (to <= from || tokens < meters.size()) {
      throw new IllegalStateException("answers were hardly written at the same time");
    }
    return tokens * 1e9 / (to - from);
  }

  /** Tokens of prompts over the time from the first request to the last answer. */
  static double promptTokensPerSecond(List<WireMeter> meters) {
    long tokens = meters.stream().mapToLong(WireMeter::promptTokens).sum();
    long from = meters.stream().mapToLong(meter -> meter.begin).min().orElseThrow();
    long to = meters.stream().mapToLong(meter -> meter.first).max().orElseThrow();
    return tokens * 1e9 / (to - from);
  }

  /**
   * Tokens that came behind the first moment until the last one, between which they are counted.
   */
  private synchronized int tokens(long from, long to) {
    int tokens = 0;
    for (int i = 0; i < events; i++) {
      tokens += times[i] > from && times[i] <= to ? counts[i] : 0;
    }
    return tokens;
  }

  int promptTokens() {
    return end.join().getPromptTokens();
  }

  @Override
  public void beforeStart(ClientCallStreamObserver<GenerateRequest> call) {}

  @Override
  public void onNext(GenerationEvent event) {
    long now = System.nanoTime();
    if (event.getTokensCount() > 0) {
      last = now;
      first = first == 0 ? now : first;
      note(now, event.getTokensCount());
    }
    if (event.hasFinished()) {
      end.complete(event.getFinished().getUsage());
    } else if (event.hasFailed()) {
      end.completeExceptionally(new IllegalStateException(event.getFailed().getMessage()));
    }
  }

  private synchronized void note(long now, int tokens) {
    if (events == times.length) {
      times = Arrays.copyOf(times, 2 * events);
      counts = Arrays.copyOf(counts, 2 * events);
    }
    times[events] = now;
    counts[events++] = tokens;
  }

  @Override
  public void onError(Throwable broken) {
    end.completeExceptionally(broken);
  }

  @Override
  public void onCompleted() {
    end.completeExceptionally(new IllegalStateException("an answer ended without its end"));
  }
}
