package dev.cloister.engine.batching;

import dev.cloister.engine.generation.FailureCode;
import dev.cloister.engine.generation.FinishReason;
import dev.cloister.engine.generation.PrefixNews;
import dev.cloister.engine.generation.Usage;
import dev.cloister.engine.model.DecodeException;
import dev.cloister.engine.model.Vocabulary;
import dev.cloister.engine.stage.Pipeline;
import dev.cloister.engine.stage.StepResult;
import dev.cloister.engine.stage.StepResult.Choice;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The answers that wait and run, and the steps under way that compute them. Belongs to the
 * batcher's thread.
 *
 * <p>The steps under way are about as many as the pipeline is deep. A sequence that ends meanwhile
 * does not wait for them: what they do to its cells comes before all that is done to the cells
 * next, and their results are dropped.
 */
final class Schedule {
  private static final Logger log = LoggerFactory.getLogger(Schedule.class);

  private final Pipeline pipeline;
  private final Vocabulary vocabulary;
  private final BatchLimits limits;
  private final LongSupplier nanoClock;
  private final AtomicInteger accepted;
  private final KvSequences sequences;
  private final PrefillPace pace;
  private final StepPlan plan;
  private final ArrayDeque<Sequence> waiting = new ArrayDeque<>();
  private final List<Sequence> active = new ArrayList<>();

  /** Of the steps under way, oldest first. */
  private final ArrayDeque<List<StepPlan.Part>> underWay = new ArrayDeque<>();

  private int nextSampler;

  /**
   * @param accepted is told of each answer that ends
   */
  Schedule(
      Pipeline pipeline,
      Vocabulary vocabulary,
      BatchLimits limits,
      @Nullable PrefixStore store,
      LongSupplier nanoClock,
      AtomicInteger accepted) {
    this.pipeline = pipeline;
    this.vocabulary = vocabulary;
    this.limits = limits;
    this.nanoClock = nanoClock;
    this.accepted = accepted;
    this.sequences = new KvSequences(pipeline, limits, store);
    this.pace = new PrefillPace(pipeline.batchTokens());
    this.plan = new StepPlan(pipeline, pace);
  }

  void add(Sequence sequence) {
    waiting.add(sequence);
  }

  /** As {@link HeldPrefixes#watch}. */
  void watchPrefixes(Consumer<PrefixNews> listener) {
    sequences.prefixes().watch(listener);
  }

  /** Tells what changed of the beginnings of prompts that are held, if it is time. */
  void tellPrefixes() {
    if (sequences.prefixes().hasNews()) {
      sequences.prefixes().tell(nanoClock.getAsLong());
    }
  }

  /** Whether no answer has a slot. */
  boolean idle() {
    return active.isEmpty();
  }

  /** As {@link KvSequences#storeOne}. */
  boolean storeOne() {
    return sequences.storeOne();
  }

  /** Begins a step and takes results, as far as there is anything to do; whether there was. */
  boolean advance() {
    try {
      admit();
      boolean submitted = underWay.size() < mostUnderWay() && submit();
      boolean took = false;
      for (StepResult result = pipeline.poll(); result != null; result = pipeline.poll()) {
        take(underWay.remove(), result);
        took = true;
      }
      if (!submitted && !took && underWay.isEmpty()) {
        pipeline.settle();
      }
      return submitted || took;
    } catch (Pipeline.LostException e) {
      lost(String.valueOf(e.getMessage()));
      return true;
    }
  }

  /**
   * As many as there are stages, so that all have work. Where only prompts are computed, one more:
   * a stage that is done a little early then has the next piece already.
   */
  private int mostUnderWay() {
    int depth = pipeline.depth();
    boolean onlyPrompts = depth > 1 && active.stream().noneMatch(Sequence::generating);
    return onlyPrompts ? depth + 1 : depth;
  }

  private void admit() {
    Iterator<Sequence> queue = waiting.iterator();
    while (active.size() < limits.slots() && queue.hasNext()) {
      Sequence sequence = queue.next();
      if (sequence.underWay > 0 || sequences.betterSoon(sequence)) {
        continue;
      }
      queue.remove();
      start(sequence);
    }
    sequences.clearCells();
  }

  private void start(Sequence sequence) {
    if (sequence.sampler < 0) {
      try {
        pipeline.openSampler(sequence.sampler(nextSampler));
        sequence.sampler = nextSampler++;
      } catch (IllegalArgumentException e) {
        end(sequence);
        sequence.tellFailed(FailureCode.INVALID_REQUEST, String.valueOf(e.getMessage()));
        return;
      }
    }
    sequences.place(sequence);
    active.add(sequence);
    if (!sequence.tellStarted()) {
      fail(sequence, "the engine failed at the start of the answer; try again");
    }
  }

  /** Begins the next step, making room where there is none; whether there was anything to do. */
  private boolean submit() {
    int prompts = Integer.MAX_VALUE;
    boolean defragmented = false;
    if (!plan.fill(active, prompts)) {
      return false;
    }
    do {
      long before = nanoClock.getAsLong();
      try {
        if (pipeline.submit(plan.runs(), plan.tokens())) {
          // Each of the stages takes about as long as the first.
          submitted((nanoClock.getAsLong() - before) * pipeline.depth());
          return true;
        }
      } catch (DecodeException e) {
        log.warn("a batch of {} sequences failed", plan.parts().size(), e);
        plan.parts().forEach(part -> failComputing(part.sequence()));
        computeAllAgain();
        return true;
      }
      if (!defragmented && pipeline.defragment()) {
        defragmented = true;
      } else if (!sequences.evict()) {
        prompts = shrink(prompts);
      }
    } while (plan.fill(active, prompts));
    return true;
  }

  /** Without anything left to evict: smaller pieces of prompts, then fewer answers at a time. */
  private int shrink(int prompts) {
    int promptTokens = plan.promptTokens();
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

  private void submitted(long nanos) {
    pace.learn(plan.promptTokens(), nanos);
    for (StepPlan.Part part : plan.parts()) {
      part.sequence().computed += part.tokens();
      part.sequence().underWay++;
    }
    underWay.add(List.copyOf(plan.parts()));
  }

  private void take(List<StepPlan.Part> parts, StepResult result) {
    parts.forEach(part -> part.sequence().underWay--);
    if (!result.failure().isEmpty()) {
      failed(parts, result.failure());
      return;
    }
    Iterator<Choice> choices = result.choices().iterator();
    for (StepPlan.Part part : parts) {
      if (part.output()) {
        Choice choice = choices.next();
        if (!part.sequence().ended) {
          take(part.sequence(), choice);
        }
      }
    }
  }

  private void take(Sequence sequence, Choice choice) {
    switch (choice) {
      case Choice.Token(int token, var probabilities) -> {
        sequence.computedAgain = false;
        sequences.promptComputed(sequence);
        FinishReason end;
        try {
          end = sequence.take(token, probabilities, vocabulary, limits.contextTokens());
        } catch (RuntimeException | StackOverflowError e) {
          Sequence.logFailure(e);
          failChoosing(sequence);
          return;
        }
        if (end != null) {
          finish(sequence, end);
        }
      }
      case Choice.Refused(String reason) -> {
        release(sequence);
        end(sequence);
        sequence.tellFailed(FailureCode.INVALID_REQUEST, reason);
      }
      case Choice.Failed(String reason) -> {
        log.warn("an answer failed: {}", reason);
        failChoosing(sequence);
      }
    }
  }

  private void failChoosing(Sequence sequence) {
    fail(sequence, "the engine failed while choosing a token; try again");
  }

  /**
   * A later stage could not compute a step: its sequences are computed again, once. Steps that were
   * under way behind it fail with it, and their sequences wait already.
   */
  private void failed(List<StepPlan.Part> parts, String reason) {
    log.warn("a step of {} sequences failed: {}", parts.size(), reason);
    boolean news = false;
    for (StepPlan.Part part : parts) {
      Sequence sequence = part.sequence();
      if (active.contains(sequence)) {
        news = true;
        if (sequence.computedAgain) {
          failComputing(sequence);
        }
        sequence.computedAgain = true;
      }
    }
    if (news) {
      computeAllAgain();
      sequences.clearShelf();
    }
  }

  private void failComputing(Sequence sequence) {
    fail(sequence, "the engine failed while computing; try again");
  }

  /** What any sequence holds is unknown once a stage has failed. */
  private void computeAllAgain() {
    List.copyOf(active).forEach(this::putBack);
    sequences.giveUpCells();
  }

  private void lost(String reason) {
    underWay.clear();
    sequences.reset();
    endAll(
        sequence -> {
          end(sequence);
          sequence.tellFailed(FailureCode.STAGE_LOST, reason);
        });
  }

  void cancelled(Sequence sequence) {
    if (!sequence.ended) {
      finish(sequence, FinishReason.CANCELLED);
    }
  }

  /** Ends all as cancelled, and keeps what can be kept. */
  void close() {
    endAll(sequence -> finish(sequence, FinishReason.CANCELLED));
    sequences.storeAll();
  }

  /** Ends all, since the thread has a defect. */
  void fail() {
    endAll(
        sequence -> {
          end(sequence);
          sequence.tellFailed(FailureCode.INTERNAL, "the engine failed; try again");
        });
  }

  /** Frees what lies beside the pipeline's own memory. */
  void free() {
    sequences.clearShelf();
  }

  private void endAll(Consumer<Sequence> end) {
    List.copyOf(active).forEach(end);
    List.copyOf(waiting).forEach(end);
  }

  private void finish(Sequence sequence, FinishReason reason) {
    Usage usage = new Usage(sequence.promptTokens(), sequence.cachedAtStart, sequence.generated());
    release(sequence);
    end(sequence);
    sequence.tellFinished(reason, usage);
  }

  private void release(Sequence sequence) {
    if (active.contains(sequence)) {
      sequences.release(sequence);
    }
  }

  private void fail(Sequence sequence, String message) {
    if (active.contains(sequence)) {
      sequences.discard(sequence);
    }
    end(sequence);
    sequence.tellFailed(FailureCode.INTERNAL, message);
  }

  private void end(Sequence sequence) {
    sequence.ended = true;
    active.remove(sequence);
    waiting.remove(sequence);
    accepted.decrementAndGet();
    if (sequence.sampler >= 0) {
      pipeline.closeSampler(sequence.sampler);
    }
  }
}
