package dev.cloister.engine.batching;

import dev.cloister.engine.generation.FailureCode;
import dev.cloister.engine.generation.FinishReason;
import dev.cloister.engine.generation.LoadedModel.Running;
import dev.cloister.engine.generation.Usage;
import dev.cloister.engine.model.DecodeContext;
import dev.cloister.engine.model.DecodeException;
import dev.cloister.engine.model.TokenProbabilities;
import dev.cloister.engine.model.TokenSampler;
import dev.cloister.engine.model.Vocabulary;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
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
 * Continuous batching: one thread owns the context and computes, over and over, one batch of the
 * next token of every running answer and the next piece of every new prompt. Answers begin and end
 * independently of each other. Thread-safe.
 *
 * <p>The method is that of Orca (Yu et al., OSDI 2022: iteration-level scheduling) with chunked
 * prompts (Agrawal et al., Sarathi-Serve, OSDI 2024).
 */
public final class Batcher implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Batcher.class);
  private static final long IDLE_MILLIS = 1000;
  private static final long CLOSE_MILLIS = 3000;
  private static final String UNLOADING = "the model is being unloaded; try again";

  private final DecodeContext context;
  private final Vocabulary vocabulary;
  private final BatchLimits limits;
  private final LongSupplier nanoClock;
  private final KvSequences sequences;
  private final PrefillPace pace;
  private final LinkedBlockingQueue<Runnable> inbox = new LinkedBlockingQueue<>();
  private final AtomicInteger accepted = new AtomicInteger();
  private final CompletableFuture<Void> broken = new CompletableFuture<>();
  private final Thread thread;

  /** Why nothing more is accepted; null while it is. */
  private volatile @Nullable String closed;

  // What follows belongs to the thread.
  private final ArrayDeque<Sequence> waiting = new ArrayDeque<>();
  private final List<Sequence> active = new ArrayList<>();
  private final List<Sequence> inBatch = new ArrayList<>();

  private Batcher(
      DecodeContext context,
      Vocabulary vocabulary,
      BatchLimits limits,
      @Nullable PrefixStore store,
      LongSupplier nanoClock) {
    this.context = context;
    this.vocabulary = vocabulary;
    this.limits = limits;
    this.nanoClock = nanoClock;
    this.sequences = new KvSequences(context, limits, store);
    this.pace = new PrefillPace(context.batchTokens());
    this.thread = Thread.ofPlatform().daemon().name("batch").unstarted(this::run);
  }

  /**
   * Starts the thread, which closes the context in the end.
   *
   * @param context whose batch is {@link BatchLimits#batchTokens} or longer
   * @param store for prefixes that outlive the process; null for none
   * @param nanoClock as {@link System#nanoTime}
   */
  public static Batcher start(
      DecodeContext context,
      Vocabulary vocabulary,
      BatchLimits limits,
      @Nullable PrefixStore store,
      LongSupplier nanoClock) {
    Batcher batcher = new Batcher(context, vocabulary, limits, store, nanoClock);
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
        inbox.add(() -> cancelled(sequence));
      }

      @Override
      public void resume() {
        // Being told is enough: the next batch asks the listener again.
        inbox.add(() -> {});
      }
    };
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
      inbox.add(() -> waiting.add(sequence));
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
      inbox.add(() -> {});
    }
  }

  private void run() {
    try {
      while (closed == null) {
        takeFromInbox();
        admit();
        if (!fillBatch(Integer.MAX_VALUE)) {
          waitForWork();
        } else if (compute()) {
          chooseTokens();
        }
      }
      endAll(s -> finish(s, FinishReason.CANCELLED));
      sequences.storeAll();
    } catch (RuntimeException | Error e) {
      log.error("the batch thread ends", e);
      refuseMore("the engine has failed; the model must be loaded again");
      endAll(
          s -> {
            end(s);
            s.tellFailed(FailureCode.INTERNAL, "the engine failed; try again");
          });
      broken.complete(null);
    } finally {
      context.close();
    }
  }

  private void endAll(Consumer<Sequence> end) {
    takeFromInbox();
    List.copyOf(active).forEach(end);
    List.copyOf(waiting).forEach(end);
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
      if (next == null && active.isEmpty()) {
        next = sequences.storeOne() ? null : inbox.take();
      }
      if (next != null) {
        next.run();
      }
    } catch (InterruptedException e) {
      refuseMore(UNLOADING);
    }
  }

  private void admit() {
    Iterator<Sequence> queue = waiting.iterator();
    while (active.size() < limits.slots() && queue.hasNext()) {
      Sequence sequence = queue.next();
      if (sequences.betterSoon(sequence)) {
        continue;
      }
      queue.remove();
      start(sequence);
    }
  }

  private void start(Sequence sequence) {
    try {
      sequence.openSampler(context);
    } catch (IllegalArgumentException e) {
      end(sequence);
      sequence.tellFailed(FailureCode.INVALID_REQUEST, String.valueOf(e.getMessage()));
      return;
    }
    sequences.place(sequence);
    active.add(sequence);
    if (!sequence.tellStarted()) {
      fail(sequence, "the engine failed at the start of the answer; try again");
    }
  }

  /** Next tokens first, so that no prompt holds them up; whether there is anything to compute. */
  private boolean fillBatch(int mostPromptTokens) {
    context.clearBatch();
    inBatch.clear();
    for (Sequence sequence : active) {
      sequence.place = -1;
      sequence.inBatch = 0;
      if (sequence.generating() && context.size() < context.batchTokens() && sequence.ready()) {
        add(sequence, 1);
      }
    }
    int room = context.batchTokens() - context.size();
    int prompts = Math.min(Math.min(room, paced()), mostPromptTokens);
    for (Sequence sequence : active) {
      if (prompts > 0 && !sequence.generating()) {
        int tokens = Math.min(prompts, sequence.uncomputed());
        add(sequence, tokens);
        prompts -= tokens;
      }
    }
    return context.size() > 0;
  }

  private int paced() {
    int computing = 0;
    for (Sequence sequence : active) {
      computing += sequence.generating() ? 0 : 1;
    }
    return pace.tokens(inBatch.size(), computing);
  }

  private void add(Sequence sequence, int tokens) {
    for (int i = 0; i < tokens; i++) {
      int position = sequence.computed + i;
      boolean output = position == sequence.tokens.size() - 1;
      int place = context.add(sequence.tokens.get(position), position, sequence.id, output);
      if (output) {
        sequence.place = place;
      }
    }
    sequence.inBatch = tokens;
    inBatch.add(sequence);
  }

  /** Computes the batch, making room where there is none; whether it was computed. */
  private boolean compute() {
    int prompts = Integer.MAX_VALUE;
    boolean defragmented = false;
    while (true) {
      long before = nanoClock.getAsLong();
      try {
        if (context.decode() == DecodeContext.DecodeOutcome.DONE) {
          learn(nanoClock.getAsLong() - before);
          return true;
        }
      } catch (DecodeException e) {
        log.warn("a batch of {} sequences failed", inBatch.size(), e);
        List.copyOf(inBatch).forEach(s -> fail(s, "the engine failed while computing; try again"));
        List.copyOf(active).forEach(this::putBack);
        sequences.evictAll();
        return false;
      }
      if (!defragmented && context.defragment()) {
        defragmented = true;
      } else if (!sequences.evict()) {
        prompts = shrink(prompts);
        if (!fillBatch(prompts)) {
          return false;
        }
      }
    }
  }

  /** Without anything left to evict: smaller pieces of prompts, then fewer answers at a time. */
  private int shrink(int prompts) {
    int promptTokens = inBatch.stream().filter(s -> !s.generating()).mapToInt(s -> s.inBatch).sum();
    if (promptTokens > 1) {
      return promptTokens / 2;
    }
    if (active.size() > 1) {
      putBack(active.getLast());
      return prompts;
    }
    fail(active.getFirst(), "the KV cache has no room for this request; shorten it");
    return prompts;
  }

  /** Makes way for the others; goes on later with the same tokens. */
  private void putBack(Sequence sequence) {
    active.remove(sequence);
    sequences.discard(sequence);
    waiting.addFirst(sequence);
  }

  private void learn(long nanos) {
    int prompts = 0;
    for (Sequence sequence : inBatch) {
      prompts += sequence.generating() ? 0 : sequence.inBatch;
      sequence.computed += sequence.inBatch;
    }
    pace.learn(prompts, nanos);
  }

  private void chooseTokens() {
    for (Sequence sequence : inBatch) {
      if (sequence.place >= 0 && sequence.sampler != null) {
        FinishReason end;
        try {
          end = chooseToken(sequence, sequence.sampler);
        } catch (RuntimeException | StackOverflowError e) {
          Sequence.logFailure(e);
          fail(sequence, "the engine failed while choosing a token; try again");
          continue;
        }
        if (end != null) {
          finish(sequence, end);
        }
      }
    }
  }

  /** Chooses the next token, and tells why it is the last one, or null. */
  private @Nullable FinishReason chooseToken(Sequence sequence, TokenSampler sampler) {
    int token = sampler.sample(sequence.place);
    TokenRequest request = sequence.request;
    sequence.tokens.add(token);
    if (vocabulary.endsGeneration(token)) {
      sequence.listener.ending(token);
      return FinishReason.STOP;
    }
    TokenProbabilities probabilities =
        request.topLogprobs().isPresent()
            ? context.probabilities(sequence.place, token, request.topLogprobs().getAsInt())
            : null;
    if (!sequence.listener.token(token, probabilities)) {
      return FinishReason.STOP;
    }
    boolean last =
        sequence.generated() == request.maxTokens()
            || sequence.tokens.size() >= limits.contextTokens();
    return last ? FinishReason.LENGTH : null;
  }

  private void cancelled(Sequence sequence) {
    if (active.contains(sequence) || waiting.contains(sequence)) {
      finish(sequence, FinishReason.CANCELLED);
    }
  }

  private void finish(Sequence sequence, FinishReason reason) {
    Usage usage = new Usage(sequence.promptTokens(), sequence.cachedAtStart, sequence.generated());
    if (active.contains(sequence)) {
      sequences.release(sequence);
    }
    end(sequence);
    sequence.tellFinished(reason, usage);
  }

  private void fail(Sequence sequence, String message) {
    sequences.discard(sequence);
    end(sequence);
    sequence.tellFailed(FailureCode.INTERNAL, message);
  }

  private void end(Sequence sequence) {
    active.remove(sequence);
    waiting.remove(sequence);
    accepted.decrementAndGet();
    sequence.closeSampler();
  }
}
