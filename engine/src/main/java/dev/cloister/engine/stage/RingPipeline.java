package dev.cloister.engine.stage;

import dev.cloister.engine.model.DecodeContext;
import dev.cloister.engine.model.KeptState;
import dev.cloister.engine.stage.Step.Precision;
import dev.cloister.engine.stage.StepResult.Choice;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The first stage of a split model: computes its own layers on the thread that asks, and has the
 * others do the rest. A connection begins with an empty step; when its result has come round, the
 * ring is closed and steps can be computed.
 */
public final class RingPipeline implements Pipeline, RingStage {
  private static final Logger log = LoggerFactory.getLogger(RingPipeline.class);

  private static final String UNCONNECTED =
      "the stages of the model are not connected; try again later";
  private static final String LOST = "a stage of the model was lost; try again";

  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  private final DecodeContext context;
  private final int stages;
  private final int embeddingLength;
  private final int vocabulary;
  private final HiddenStates states;
  private volatile @Nullable Link newest;
  private volatile Runnable wake = () -> {};
  private volatile Consumer<Boolean> listener = _ -> {};

  // What follows belongs to the thread that asks.
  private final List<StageOperation> operations = new ArrayList<>();
  private final ArrayDeque<List<Run>> underWay = new ArrayDeque<>();

  /** Sequences with a restored state, which no step has shown to be there at all stages. */
  private final BitSet doubtful = new BitSet();

  private @Nullable Link link;
  private boolean closed;

  /** Whether all stages have what was kept, as far as one knows. */
  private boolean keeping;

  private int nextKey;
  private long sent;
  private long received;

  private final class Link implements Inlet {
    final Outlet outlet;
    final Queue<StageFrame> frames = new ConcurrentLinkedQueue<>();
    volatile boolean ended;

    Link(Outlet outlet) {
      this.outlet = outlet;
    }

    @Override
    public void give(StageFrame frame) {
      frames.add(frame);
      wake.run();
    }

    @Override
    public void end() {
      ended = true;
      wake.run();
    }
  }

  /** The first stage's part of a state; the others have theirs while this connection lasts. */
  private final class Part implements KeptState {
    final @Nullable Link of = link;
    final int key = nextKey++;
    final KeptState own;

    Part(KeptState own) {
      this.own = own;
    }

    @Override
    public long bytes() {
      return own.bytes();
    }

    @Override
    public void close() {
      own.close();
      if (of == link) {
        operation(new StageOperation.Forget(key));
      }
    }
  }

  /**
   * Takes over a context of the model's first layers.
   *
   * @param stages of the whole ring
   * @param embeddingLength numbers in a hidden state
   * @param vocabulary tokens of the model
   * @param precision in which hidden states travel
   */
  public RingPipeline(
      DecodeContext context, int stages, int embeddingLength, int vocabulary, Precision precision) {
    this.context = context;
    this.stages = stages;
    this.embeddingLength = embeddingLength;
    this.vocabulary = vocabulary;
    this.states = new HiddenStates(precision);
  }

  @Override
  public Inlet connect(Outlet outlet) {
    Link next = new Link(outlet);
    newest = next;
    wake.run();
    return next;
  }

  @Override
  public void onClosed(Consumer<Boolean> to) {
    listener = to;
  }

  @Override
  public void onNews(Runnable runnable) {
    wake = runnable;
  }

  @Override
  public int cells() {
    return context.cells();
  }

  /** {@inheritDoc} A step's hidden states fit in a frame. */
  @Override
  public int batchTokens() {
    int fitting = Step.MOST_HIDDEN_BYTES / (embeddingLength * states.precision().bytes());
    return Math.min(context.batchTokens(), fitting);
  }

  @Override
  public int sequences() {
    return context.sequences();
  }

  @Override
  public int depth() {
    return stages;
  }

  @Override
  public void truncate(int sequence, int fromPosition) {
    if (!context.truncate(sequence, fromPosition)) {
      throw new IllegalStateException("a sequence cannot be cut back, though its model can");
    }
    operation(new StageOperation.Truncate(sequence, fromPosition));
  }

  @Override
  public void remove(int sequence) {
    context.remove(sequence);
    doubtful.clear(sequence);
    operation(new StageOperation.Remove(sequence));
  }

  @Override
  public void copy(int from, int to, int tokens) {
    context.copy(from, to, tokens);
    operation(new StageOperation.Copy(from, to, tokens));
  }

  /** {@inheritDoc} Its bytes are those of this stage's part; the others have a part each. */
  @Override
  public @Nullable KeptState keep(int sequence, LongPredicate room) {
    KeptState own = keeping ? context.keep(sequence, room) : null;
    if (own == null) {
      return null;
    }
    Part part = new Part(own);
    operation(new StageOperation.Keep(sequence, part.key));
    return part;
  }

  /** {@inheritDoc} Should another stage have no room for its part, the next step fails. */
  @Override
  public boolean restore(int sequence, KeptState state) {
    if (!(state instanceof Part part)) {
      throw new IllegalArgumentException("the state was kept by another pipeline");
    }
    if (part.of != link || !context.restore(sequence, part.own)) {
      return false;
    }
    operation(new StageOperation.Restore(part.key, sequence));
    doubtful.set(sequence);
    return true;
  }

  @Override
  public boolean defragment() {
    boolean helped = context.defragment();
    if (helped) {
      operation(new StageOperation.Defragment());
    }
    return helped;
  }

  @Override
  public void openSampler(StageOperation.OpenSampler sampler) {
    operation(sampler);
  }

  @Override
  public void closeSampler(int sampler) {
    operation(new StageOperation.CloseSampler(sampler));
  }

  /** Without a connection nobody holds anything that could be changed. */
  private void operation(StageOperation operation) {
    if (link != null) {
      operations.add(operation);
    }
  }

  @Override
  public boolean submit(List<Run> runs, int[] tokens) {
    requireSameLink();
    if (!closed || link == null) {
      throw new LostException(UNCONNECTED);
    }
    Run.fill(context, runs, tokens);
    if (context.decode() == DecodeContext.DecodeOutcome.NO_ROOM) {
      return false;
    }
    send(link, runs, states.write(context.hidden()));
    return true;
  }

  private void send(Link to, List<Run> runs, ByteBuffer hidden) {
    Step step = new Step(operations, runs, hidden, states.precision(), "");
    operations.clear();
    underWay.add(runs);
    to.outlet.send(new StageFrame(++sent, step));
  }

  @Override
  public void settle() {
    if (closed && link != null && !operations.isEmpty()) {
      send(link, List.of(), NOTHING);
    }
  }

  @Override
  public @Nullable StepResult poll() {
    requireSameLink();
    Link from = link == null ? adopt(newest) : link;
    if (from == null) {
      return null;
    }
    for (StageFrame frame = from.frames.poll(); frame != null; frame = from.frames.poll()) {
      List<Run> runs = underWay.peek();
      StepResult result = take(from, frame);
      if (runs != null && !runs.isEmpty()) {
        return result;
      }
      // A step of operations only, or the first one of all.
      if (!closed) {
        closed = true;
        listener.accept(true);
      }
    }
    return null;
  }

  private @Nullable Link adopt(@Nullable Link next) {
    if (next == null || next.ended) {
      return null;
    }
    link = next;
    keeping = true;
    send(next, List.of(), NOTHING);
    return next;
  }

  private StepResult take(Link from, StageFrame frame) {
    try {
      StepResult result = checked(frame);
      from.outlet.taken();
      return result;
    } catch (StageException e) {
      log.warn("the ring ends: {}", e.getMessage());
      from.outlet.refuse(e.getMessage());
      from.ended = true;
      disconnect();
      throw new LostException(LOST);
    }
  }

  private StepResult checked(StageFrame frame) throws StageException {
    List<Run> runs = underWay.poll();
    if (runs == null || frame.number() != received + 1) {
      throw new StageException(
          "result %d (expected: %d of %d steps)".formatted(frame.number(), received + 1, sent));
    }
    received++;
    if (!(frame.content() instanceof StepResult result)) {
      throw new StageException("a step came to the first stage (expected: a result)");
    }
    if (result.failure().isEmpty()) {
      check(runs, result.choices());
      runs.forEach(run -> doubtful.clear(run.sequence()));
    } else if (runs.stream().anyMatch(run -> doubtful.get(run.sequence()))) {
      log.info("a stage has no room for ended sequences; they stay in the KV caches");
      keeping = false;
    }
    return result;
  }

  private void check(List<Run> runs, List<Choice> choices) throws StageException {
    List<Run.Output> outputs = runs.stream().map(Run::output).filter(o -> o != null).toList();
    if (outputs.size() != choices.size()) {
      throw new StageException(
          "a result has %d choices (expected: %d)".formatted(choices.size(), outputs.size()));
    }
    for (int i = 0; i < choices.size(); i++) {
      if (choices.get(i) instanceof Choice.Token token) {
        check(outputs.get(i), token);
      }
    }
  }

  private void check(Run.Output output, Choice.Token choice) throws StageException {
    requireKnown(choice.token());
    var probabilities = choice.probabilities();
    int top = probabilities == null ? 0 : probabilities.topTokens().length;
    boolean wanted = output.topLogprobs().isPresent();
    if (wanted != (probabilities != null) || top > output.topLogprobs().orElse(0)) {
      throw new StageException("a result has other probabilities than were asked for");
    }
    if (probabilities != null) {
      for (int token : probabilities.topTokens()) {
        requireKnown(token);
      }
    }
  }

  private void requireKnown(int token) throws StageException {
    if (token < 0 || token >= vocabulary) {
      throw new StageException(
          "token %s was chosen (expected: 0 to %d)"
              .formatted(Integer.toUnsignedString(token), vocabulary - 1));
    }
  }

  private void requireSameLink() {
    if (link != null && (link.ended || link != newest)) {
      disconnect();
      throw new LostException(LOST);
    }
  }

  private void disconnect() {
    boolean was = closed;
    link = null;
    closed = false;
    keeping = false;
    doubtful.clear();
    sent = 0;
    received = 0;
    operations.clear();
    underWay.clear();
    for (int sequence = 0; sequence < context.sequences(); sequence++) {
      context.remove(sequence);
    }
    if (was) {
      listener.accept(false);
    }
  }

  @Override
  public void close() {
    context.close();
  }
}
