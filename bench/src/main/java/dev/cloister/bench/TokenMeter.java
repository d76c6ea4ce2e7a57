package dev.cloister.bench;

import dev.cloister.engine.generation.AnswerPart;
import dev.cloister.engine.generation.FinishReason;
import dev.cloister.engine.generation.Generation;
import dev.cloister.engine.generation.GenerationListener;
import dev.cloister.engine.generation.LoadedModel;
import dev.cloister.engine.generation.RequestException;
import dev.cloister.engine.generation.Usage;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** Takes the times of one answer. */
final class TokenMeter implements GenerationListener {
  private final CompletableFuture<Usage> end = new CompletableFuture<>();
  private final long begin = System.nanoTime();
  private long first;
  private long last;

  /** Asks for answers all at once, and waits until all are there. */
  static List<TokenMeter> run(LoadedModel model, List<Generation> generations)
      throws InterruptedException {
    List<TokenMeter> meters = new ArrayList<>();
    for (Generation generation : generations) {
      TokenMeter meter = new TokenMeter();
      meters.add(meter);
      model.generate(generation, meter);
    }
    for (TokenMeter meter : meters) {
      try {
        meter.end.get();
      } catch (ExecutionException e) {
        throw new IllegalStateException("an answer failed", e.getCause());
      }
    }
    return meters;
  }

  /** All tokens of answers over the time from the first request to the last token. */
  static double totalRate(List<TokenMeter> meters) {
    long begin = meters.stream().mapToLong(m -> m.begin).min().orElseThrow();
    long end = meters.stream().mapToLong(m -> m.last).max().orElseThrow();
    int tokens = meters.stream().mapToInt(TokenMeter::tokens).sum();
    return tokens * 1e9 / (end - begin);
  }

  int tokens() {
    return end.join().completionTokens();
  }

  int promptTokens() {
    return end.join().promptTokens();
  }

  /** Tokens after the first, per second since the first. */
  double rate() {
    return (tokens() - 1) * 1e9 / (last - first);
  }

  double secondsToFirstToken() {
    return (first - begin) / 1e9;
  }

  private void stamp() {
    last = System.nanoTime();
    if (first == 0) {
      first = last;
    }
  }

  @Override
  public void started(int promptTokens, int cachedTokens) {}

  @Override
  public void part(AnswerPart part) {
    stamp();
  }

  @Override
  public void finished(FinishReason reason, Usage usage) {
    stamp();
    end.complete(usage);
  }

  @Override
  public void failed(RequestException why) {
    end.completeExceptionally(why);
  }
}
