package dev.cloister.engine.batching;

import dev.cloister.engine.generation.FailureCode;
import dev.cloister.engine.generation.FinishReason;
import dev.cloister.engine.generation.Usage;
import dev.cloister.engine.model.TokenProbabilities;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Keeps what a listener hears, and checks that it hears it in order. */
final class Collected implements TokenListener {
  final List<Integer> tokens = Collections.synchronizedList(new ArrayList<>());
  final CompletableFuture<FinishReason> end = new CompletableFuture<>();
  volatile int cached = -1;
  volatile boolean ready = true;
  volatile int stopAfter = Integer.MAX_VALUE;
  volatile @Nullable Usage usage;

  /** The call that throws, by its name, as one with a defect would. */
  volatile String broken = "";

  private void mayThrow(String call) {
    if (broken.equals(call)) {
      throw new IllegalStateException("told to fail");
    }
  }

  @Override
  public void started(int promptTokens, int cachedTokens) {
    mayThrow("started");
    if (cached >= 0 || end.isDone()) {
      throw new IllegalStateException("started twice or too late");
    }
    cached = cachedTokens;
  }

  @Override
  public boolean token(int token, @Nullable TokenProbabilities probabilities) {
    mayThrow("token");
    if (cached < 0 || end.isDone()) {
      throw new IllegalStateException("a token before the start or after the end");
    }
    tokens.add(token);
    return tokens.size() < stopAfter;
  }

  @Override
  public boolean ready() {
    mayThrow("ready");
    return ready;
  }

  @Override
  public void finished(FinishReason reason, Usage used) {
    mayThrow("finished");
    usage = used;
    if (!end.complete(reason)) {
      throw new IllegalStateException("ended twice");
    }
  }

  @Override
  public void failed(FailureCode code, String message) {
    if (!end.completeExceptionally(new AssertionError(code + ": " + message))) {
      throw new IllegalStateException("ended twice");
    }
  }

  FinishReason awaitEnd() throws Exception {
    return end.get(20, TimeUnit.SECONDS);
  }

  Usage awaitUsage() throws Exception {
    awaitEnd();
    Usage known = usage;
    if (known == null) {
      throw new IllegalStateException("no usage");
    }
    return known;
  }
}
