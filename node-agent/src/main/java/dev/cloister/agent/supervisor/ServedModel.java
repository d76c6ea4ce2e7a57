package dev.cloister.agent.supervisor;

import dev.cloister.agent.engine.EngineClient;
import dev.cloister.agent.engine.EngineListener;
import dev.cloister.agent.engine.ModelFacts;
import dev.cloister.agent.modelstore.ModelStore;
import dev.cloister.agent.modelstore.StageStore;
import dev.cloister.identity.ticket.PlanTicket;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One model from its file to its engine, on a thread of its own: fetch, start, watch, and again
 * when the engine ends.
 */
final class ServedModel {
  private static final Logger log = LoggerFactory.getLogger(ServedModel.class);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);

  private final ModelStore store;
  private final StageStore stages;
  private final EngineLauncher launcher;
  private final MemoryBudget memory;
  private final StatusListener listener;
  private final Thread thread;
  private volatile ModelSpec spec;
  private ModelStatus status = new ModelStatus.Fetching(0);
  private volatile @Nullable EngineProcess process;
  private volatile @Nullable EngineClient loaded;
  private volatile @Nullable EngineClient ready;

  ServedModel(
      ModelSpec spec,
      ModelStore store,
      StageStore stages,
      EngineLauncher launcher,
      MemoryBudget memory,
      StatusListener listener) {
    this.spec = spec;
    this.store = store;
    this.stages = stages;
    this.launcher = launcher;
    this.memory = memory;
    this.listener = listener;
    this.thread = Thread.ofVirtual().name("model-" + spec.name()).unstarted(this::live);
  }

  void start() {
    thread.start();
  }

  ModelSpec spec() {
    return spec;
  }

  /** The engine, if it answers. */
  Optional<EngineClient> ready() {
    return Optional.ofNullable(ready);
  }

  /** Memory that the engine's process takes now; 0 if there is none or that cannot be told. */
  long residentBytes() {
    @Nullable EngineProcess running = process;
    return running == null ? 0 : running.residentBytes();
  }

  /** The engine of the stage that a ticket is for, if it is loaded. */
  Optional<EngineClient> stage(PlanTicket ticket) {
    ModelSpec current = spec;
    boolean isOurs =
        current.sha256().equals(ticket.modelSha256())
            && current.stage().filter(stage -> stage.isOf(ticket)).isPresent();
    return isOurs ? Optional.ofNullable(loaded) : Optional.empty();
  }

  /** Serves another plan with the same engine. Its pipeline is not closed yet. */
  synchronized void follow(ModelSpec next) {
    if (next.equals(spec)) {
      return;
    }
    spec = next;
    if (status instanceof ModelStatus.Ready(var _, long residentBytes)) {
      ready = null;
      status = new ModelStatus.Staged(residentBytes);
    }
    change(status);
  }

  private void live() {
    Duration pause = FIRST_PAUSE;
    try {
      while (true) {
        if (serveOnce()) {
          pause = FIRST_PAUSE;
        }
        Thread.sleep(pause);
        pause = pause.multipliedBy(2);
        pause = pause.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : pause;
      }
    } catch (InterruptedException e) {
      log.debug("model {} is no longer served", spec.name());
    }
  }

  /**
   * @return whether the engine was ready before it ended
   */
  private boolean serveOnce() throws InterruptedException {
    try (MemoryBudget.Share _ = memory.take(spec.neededBytes())) {
      return fetchAndServe();
    } catch (IOException e) {
      return failed("", e);
    }
  }

  private boolean fetchAndServe() throws InterruptedException {
    EngineFiles files;
    try {
      ProgressSteps steps = new ProgressSteps();
      files =
          EngineFiles.obtain(
              spec,
              store,
              stages,
              progress -> {
                if (steps.isNext(progress)) {
                  change(new ModelStatus.Fetching(progress));
                }
              });
    } catch (IOException | RuntimeException e) {
      return failed("the model file cannot be fetched: ", e);
    }
    change(new ModelStatus.Loading(0));
    try (files;
        EngineProcess engine = launcher.launch(spec, files);
        EngineClient client = launcher.connect(engine.awaitSocket());
        Watch watch = new Watch(engine, client)) {
      process = engine;
      client.watch(watch);
      engine.whenEnded(watch::lost);
      boolean served = watch.becameLoaded();
      if (served) {
        awaitLoss(engine, client, watch);
      }
      String end = served ? engine.awaitEnd() : watch.failure();
      watch.stop();
      change(served ? new ModelStatus.Loading(0) : new ModelStatus.Failed(end));
      log.warn("model {}: {}; it is started again", spec.name(), end);
      return served;
    } catch (IOException | RuntimeException e) {
      return failed("the engine cannot be started: ", e);
    } finally {
      process = null;
    }
  }

  /** Waits for the end of an engine, and ends one that hangs. */
  private void awaitLoss(EngineProcess engine, EngineClient client, Watch watch)
      throws InterruptedException {
    Duration patience = engine.patience().silence();
    int silences = 0;
    while (!watch.isLost(patience)) {
      silences = isAlive(client, patience) ? 0 : silences + 1;
      // One alone may be this process's own, if it was stopped meanwhile.
      if (silences > 1) {
        log.warn(
            "model {}: the engine gave no sign of life for {} s; it is ended",
            spec.name(),
            patience.multipliedBy(silences).toSeconds());
        engine.kill();
      }
    }
  }

  private static boolean isAlive(EngineClient client, Duration patience)
      throws InterruptedException {
    try {
      return client.isAlive(patience).get();
    } catch (ExecutionException e) {
      throw new IllegalStateException("never completed with a failure", e);
    }
  }

  private boolean failed(String what, Exception cause) throws InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    log.debug("model {} failed", spec.name(), cause);
    change(new ModelStatus.Failed(what + cause.getMessage()));
    return false;
  }

  /** Tells the status; what is told here and of changes is in order. */
  synchronized void tell(BiConsumer<ModelSpec, ModelStatus> action) {
    action.accept(spec, status);
  }

  private synchronized void change(ModelStatus next) {
    if (next.getClass() != status.getClass() || next instanceof ModelStatus.Failed) {
      log.info("model {}: {}", spec.name(), next);
    }
    status = next;
    listener.changed(spec, next);
  }

  /** What the engine tells of its model, until this is closed. */
  private final class Watch implements EngineListener, AutoCloseable {
    private final EngineProcess engine;
    private final EngineClient client;
    private final CompletableFuture<Boolean> outcome = new CompletableFuture<>();
    private final CountDownLatch lost = new CountDownLatch(1);
    private final ProgressSteps steps = new ProgressSteps();
    private volatile String failure = "";
    private boolean closed;

    Watch(EngineProcess engine, EngineClient client) {
      this.engine = engine;
      this.client = client;
    }

    @Override
    public void loading(double progress) {
      if (!outcome.isDone() && steps.isNext(progress)) {
        tell(new ModelStatus.Loading(progress), null, null);
      }
    }

    @Override
    public void staged() {
      tell(new ModelStatus.Staged(engine.residentBytes()), client, null);
      outcome.complete(true);
    }

    @Override
    public void ready(ModelFacts facts) {
      tell(new ModelStatus.Ready(facts, engine.residentBytes()), client, client);
      outcome.complete(true);
    }

    @Override
    public void failed(String message) {
      failure = message;
      outcome.complete(false);
    }

    @Override
    public void lost() {
      outcome.complete(false);
      lost.countDown();
    }

    private void tell(
        ModelStatus next, @Nullable EngineClient nowLoaded, @Nullable EngineClient nowReady) {
      synchronized (ServedModel.this) {
        if (!closed) {
          loaded = nowLoaded;
          ready = nowReady;
          change(next);
        }
      }
    }

    boolean isLost(Duration patience) throws InterruptedException {
      return lost.await(patience.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Waits until the model is loaded or will not be. */
    boolean becameLoaded() throws InterruptedException {
      try {
        return outcome.get();
      } catch (ExecutionException e) {
        throw new IllegalStateException("never completed with a failure", e);
      }
    }

    /** Why it was not loaded: what the engine said, or how its process ended. */
    String failure() throws InterruptedException {
      return failure.isEmpty() ? engine.awaitEnd() : failure;
    }

    /** Nothing is told any more, and nobody gets this engine. */
    void stop() {
      synchronized (ServedModel.this) {
        closed = true;
        loaded = null;
        ready = null;
      }
    }

    @Override
    public void close() {
      stop();
    }
  }

  /** Begins to end the engine; to be called once, since a second time would hurry the first. */
  void end() {
    thread.interrupt();
  }

  /** Waits until the engine has ended. */
  void awaitEnd() {
    try {
      thread.join(Duration.ofSeconds(6));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
