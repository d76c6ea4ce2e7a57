package dev.cloister.engine.stage;

import dev.cloister.engine.model.DecodeContext;
import dev.cloister.engine.model.KeptState;
import java.util.List;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/** A whole model: one stage, computed by the thread that asks. */
public final class LocalPipeline implements Pipeline {
  private final DecodeContext context;
  private final Samplers samplers;
  private @Nullable List<Run> computed;

  /** Takes over the context, which must be of a whole model. */
  public LocalPipeline(DecodeContext context) {
    this.context = context;
    this.samplers = new Samplers(context);
  }

  @Override
  public int cells() {
    return context.cells();
  }

  @Override
  public int batchTokens() {
    return context.batchTokens();
  }

  @Override
  public int sequences() {
    return context.sequences();
  }

  @Override
  public int depth() {
    return 1;
  }

  @Override
  public void truncate(int sequence, int fromPosition) {
    if (!context.truncate(sequence, fromPosition)) {
      throw new IllegalStateException("a sequence cannot be cut back, though its model can");
    }
  }

  @Override
  public void remove(int sequence) {
    context.remove(sequence);
  }

  @Override
  public void copy(int from, int to, int tokens) {
    context.copy(from, to, tokens);
  }

  @Override
  public @Nullable KeptState keep(int sequence, LongPredicate room) {
    return context.keep(sequence, room);
  }

  @Override
  public boolean restore(int sequence, KeptState state) {
    return context.restore(sequence, state);
  }

  @Override
  public boolean defragment() {
    return context.defragment();
  }

  @Override
  public void openSampler(StageOperation.OpenSampler sampler) {
    samplers.open(sampler);
  }

  @Override
  public void closeSampler(int sampler) {
    samplers.close(sampler);
  }

  @Override
  public boolean submit(List<Run> runs, int[] tokens) {
    Run.fill(context, runs, tokens);
    if (context.decode() == DecodeContext.DecodeOutcome.NO_ROOM) {
      return false;
    }
    computed = runs;
    return true;
  }

  @Override
  public @Nullable StepResult poll() {
    if (computed == null) {
      return null;
    }
    List<Run> runs = computed;
    computed = null;
    return new StepResult(samplers.choose(runs), "");
  }

  /** {@inheritDoc} Here it is done at once. */
  @Override
  public void settle() {}

  /** {@inheritDoc} Here it never has: results are there when a step has begun. */
  @Override
  public void onNews(Runnable wake) {}

  @Override
  public void close() {
    samplers.close();
    context.close();
  }
}
