package dev.cloister.agent.engine;

import java.util.concurrent.CompletableFuture;

/**
 * How far an engine has come, for those who start one and wait for it. Thread-safe. If the engine
 * fails or its connection breaks, what is not done yet ends with an {@link IllegalStateException}
 * that says why.
 */
public final class Readiness implements EngineListener {
  private final CompletableFuture<Void> loaded = new CompletableFuture<>();
  private final CompletableFuture<Void> ready = new CompletableFuture<>();

  private Readiness() {}

  /** Watches an engine, which need not listen yet. */
  public static Readiness of(EngineClient engine) {
    Readiness readiness = new Readiness();
    engine.watch(readiness);
    return readiness;
  }

  /** Done when the model, or the stage, is in memory. */
  public CompletableFuture<Void> loaded() {
    return loaded;
  }

  /** Done when the engine answers. */
  public CompletableFuture<Void> ready() {
    return ready;
  }

  @Override
  public void loading(double progress) {}

  @Override
  public void staged() {
    loaded.complete(null);
  }

  @Override
  public void ready(ModelFacts facts) {
    loaded.complete(null);
    ready.complete(null);
  }

  @Override
  public void failed(String message) {
    IllegalStateException failure = new IllegalStateException(message);
    loaded.completeExceptionally(failure);
    ready.completeExceptionally(failure);
  }

  @Override
  public void lost() {
    failed("the engine process ended early");
  }
}
