package dev.cloister.agent.supervisor;

import dev.cloister.agent.engine.EngineClient;
import dev.cloister.agent.engine.EngineListener;
import dev.cloister.agent.engine.ModelFacts;
import dev.cloister.agent.modelstore.ModelStore;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
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

  private final ModelSpec spec;
  private final ModelStore store;
  private final EngineLauncher launcher;
  private final StatusListener listener;
  private final Thread thread;
  private ModelStatus status = new ModelStatus.Fetching(0);
  private volatile @Nullable EngineClient ready;

  ServedModel(ModelSpec spec, ModelStore store, EngineLauncher launcher, StatusListener listener) {
    this.spec = spec;
    this.store = store;
    this.launcher = launcher;
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
    Path file;
    try {
      ProgressSteps steps = new ProgressSteps();
      file =
          store.obtain(
              spec.sha256(),
              spec.sizeBytes(),
              progress -> {
                if (steps.isNext(progress)) {
                  change(new ModelStatus.Fetching(progress));
                }
              });
    } catch (IOException | RuntimeException e) {
      return failed("the model file cannot be fetched: ", e);
    }
    change(new ModelStatus.Loading(0));
    Watch watch = new Watch();
    try (EngineProcess engine = launcher.launch(spec, file);
        EngineClient client = new EngineClient(engine.awaitSocket())) {
      client.watch(watch);
      engine.whenEnded(watch::lost);
      boolean served = watch.becameReady(client);
      if (served) {
        watch.awaitLoss();
      }
      String end = served ? engine.awaitEnd() : watch.failure(engine);
      ready = null;
      change(served ? new ModelStatus.Loading(0) : new ModelStatus.Failed(end));
      log.warn("model {}: {}; it is started again", spec.name(), end);
      return served;
    } catch (IOException | RuntimeException e) {
      return failed("the engine cannot be started: ", e);
    } finally {
      ready = null;
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

  /** What the engine tells of its model. */
  private final class Watch implements EngineListener {
    private final CompletableFuture<ModelStatus> outcome = new CompletableFuture<>();
    private final CountDownLatch lost = new CountDownLatch(1);
    private final ProgressSteps steps = new ProgressSteps();

    @Override
    public void loading(double progress) {
      if (!outcome.isDone() && steps.isNext(progress)) {
        change(new ModelStatus.Loading(progress));
      }
    }

    @Override
    public void ready(ModelFacts facts) {
      outcome.complete(new ModelStatus.Ready(facts));
    }

    @Override
    public void failed(String message) {
      outcome.complete(new ModelStatus.Failed(message));
    }

    @Override
    public void lost() {
      outcome.complete(new ModelStatus.Failed(""));
      lost.countDown();
    }

    void awaitLoss() throws InterruptedException {
      lost.await();
    }

    /** Waits until the model is loaded or will not be. */
    boolean becameReady(EngineClient client) throws InterruptedException {
      ModelStatus result;
      try {
        result = outcome.get();
      } catch (ExecutionException e) {
        throw new IllegalStateException("never completed with a failure", e);
      }
      if (result instanceof ModelStatus.Ready) {
        ready = client;
        change(result);
        return true;
      }
      return false;
    }

    /** Why it did not become ready: what the engine said, or how its process ended. */
    String failure(EngineProcess engine) throws InterruptedException {
      return outcome.getNow(new ModelStatus.Failed("")) instanceof ModelStatus.Failed failed
              && !failed.error().isEmpty()
          ? failed.error()
          : engine.awaitEnd();
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
