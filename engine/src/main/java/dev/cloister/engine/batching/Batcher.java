package dev.cloister.engine.batching;

import dev.cloister.engine.generation.FailureCode;
import dev.cloister.engine.generation.LoadedModel.Running;
import dev.cloister.engine.generation.PrefixNews;
import dev.cloister.engine.model.Vocabulary;
import dev.cloister.engine.stage.Pipeline;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Continuous batching: one thread owns the pipeline and has it compute, over and over, one step of
 * the next token of every running answer and the next piece of every new prompt. Answers begin and
 * end independently of each other. Thread-safe.
 *
 * <p>The method is that of Orca (Yu et al., OSDI 2022: iteration-level scheduling) with chunked
 * prompts (Agrawal et al., Sarathi-Serve, OSDI 2024).
 */
public final class Batcher implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Batcher.class);
  private static final long IDLE_MILLIS = 1000;
  private static final long CLOSE_MILLIS = 3000;
  private static final String UNLOADING = "the model is being unloaded; try again";

  private final Pipeline pipeline;
  private final BatchLimits limits;
  private final LinkedBlockingQueue<Runnable> inbox = new LinkedBlockingQueue<>();
  private final AtomicInteger accepted = new AtomicInteger();
  private final CompletableFuture<Void> broken = new CompletableFuture<>();
  private final Thread thread;

  /** Why nothing more is accepted; null while it is. */
  private volatile @Nullable String closed;

  /** Belongs to the thread. */
  private final Schedule schedule;

  private Batcher(
      Pipeline pipeline,
      Vocabulary vocabulary,
      BatchLimits limits,
      @Nullable PrefixStore store,
      LongSupplier nanoClock) {
    this.pipeline = pipeline;
    this.limits = limits;
    this.schedule = new Schedule(pipeline, vocabulary, limits, store, nanoClock, accepted);
    this.thread = Thread.ofPlatform().daemon().name("batch").unstarted(this::run);
  }

  /**
   * Starts the thread, which closes the pipeline in the end.
   *
   * @param pipeline whose batch has room for a token of every slot
   * @param store for prefixes that outlive the process; null for none
   * @param nanoClock as {@link System#nanoTime}
   */
  public static Batcher start(
      Pipeline pipeline,
      Vocabulary vocabulary,
      BatchLimits limits,
      @Nullable PrefixStore store,
      LongSupplier nanoClock) {
    Batcher batcher = new Batcher(pipeline, vocabulary, limits, store, nanoClock);
    pipeline.onNews(batcher::wake);
    batcher.thread.start();
    return batcher;
  }

  /**
   * Asks for tokens; returns at once. Beyond the slots and the queue the listener hears {@link
   * FailureCode#NO_CAPACITY} before this returns.
   */
  public Running submit(TokenRequest request, TokenListener listener) {
    Sequence sequence = new Sequence(request, listener);
    String refusal = accept(sequence);
    if (refusal != null) {
      listener.failed(FailureCode.NO_CAPACITY, refusal);
      return () -> {};
    }
    return new Running() {
      @Override
      public void cancel() {
        inbox.add(() -> schedule.cancelled(sequence));
      }

      @Override
      public void resume() {
        // Being told is enough: the next step asks the listener again.
        wake();
      }
    };
  }

  /**
   * Tells which beginnings of prompts are held: as {@link HeldPrefixes#watch}, at the next step.
   */
  public void watchPrefixes(Consumer<PrefixNews> listener) {
    inbox.add(() -> schedule.watchPrefixes(listener));
  }

  private void wake() {
    inbox.add(() -> {});
  }

  private @Nullable String accept(Sequence sequence) {
    synchronized (inbox) {
      if (closed != null) {
        return closed;
      }
      if (accepted.get() >= limits.slots() + limits.queue()) {
        return "all %d slots are busy and the queue is full; try again later"
            .formatted(limits.slots());
      }
      accepted.incrementAndGet();
      inbox.add(() -> schedule.add(sequence));
      return null;
    }
  }

  /** Requests that wait or run. */
  public int load() {
    return accepted.get();
  }

  /** Ends what runs as cancelled, and waits a moment for the thread. */
  @Override
  public void close() {
    refuseMore(UNLOADING);
    if (thread.equals(Thread.currentThread())) {
      return;
    }
    try {
      thread.join(CLOSE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Completes when the thread has ended by a defect: nothing can be asked any more. */
  public CompletableFuture<Void> broken() {
    return broken;
  }

  /** Whether the thread has ended and the context is closed. */
  public boolean ended() {
    return !thread.isAlive();
  }

  private void refuseMore(String reason) {
    synchronized (inbox) {
      closed = reason;
      wake();
    }
  }

  private void run() {
    try {
      while (closed == null) {
        takeFromInbox();
        boolean worked = schedule.advance();
        schedule.tellPrefixes();
        if (!worked) {
          waitForWork();
        }
      }
      takeFromInbox();
      schedule.close();
    } catch (RuntimeException | Error e) {
      log.error("the batch thread ends", e);
      refuseMore("the engine has failed; the model must be loaded again");
      takeFromInbox();
      schedule.fail();
      broken.complete(null);
    } finally {
      schedule.free();
      pipeline.close();
    }
  }

  private void takeFromInbox() {
    for (Runnable next = inbox.poll(); next != null; next = inbox.poll()) {
      next.run();
    }
  }

  /** Blocks until something happens; writes prefixes to disk when nothing does for a while. */
  private void waitForWork() {
    try {
      Runnable next = inbox.poll(IDLE_MILLIS, TimeUnit.MILLISECONDS);
      if (next == null && schedule.idle()) {
        next = schedule.storeOne() ? null : inbox.take();
      }
      if (next != null) {
        next.run();
      }
    } catch (InterruptedException e) {
      refuseMore(UNLOADING);
    }
  }
}
