package dev.cloister.engine.stage;

import dev.cloister.engine.model.DecodeContext;
import dev.cloister.engine.model.DecodeException;
import dev.cloister.engine.model.StagePart;
import dev.cloister.engine.stage.StageOperation.OpenSampler;
import dev.cloister.engine.stage.Step.Precision;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A stage behind the first one: takes steps, and gives steps with its own hidden states or, as the
 * last stage, results. What comes from another machine is believed in nothing: a frame that this
 * stage must not be sent is refused before the native library sees it. Not thread-safe.
 */
final class Stage implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Stage.class);

  /** What a sequence holds of which a step has failed. */
  private static final int UNKNOWN = -1;

  private static final int MOST_TOP_LOGPROBS = 20;

  /** For each sequence: answers that gave up their place keep their sampler. */
  private static final int SAMPLERS_EACH = 16;

  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  private final DecodeContext context;
  private final boolean last;
  private final int embeddingLength;
  private final int vocabulary;
  private final HiddenStates states;
  private final Samplers samplers;
  private final StageShelf shelf;

  /** Tokens of each sequence, or {@link #UNKNOWN}. */
  private final int[] held;

  private long number;

  /**
   * @param part MIDDLE or LAST
   * @param embeddingLength numbers in a hidden state
   * @param vocabulary tokens of the model; only the last stage knows
   * @param precision of the hidden states it gives
   * @param shelf for states of the context's sequences
   */
  Stage(
      DecodeContext context,
      StagePart part,
      int embeddingLength,
      int vocabulary,
      Precision precision,
      StageShelf shelf) {
    this.context = context;
    this.last = part == StagePart.LAST;
    this.embeddingLength = embeddingLength;
    this.vocabulary = vocabulary;
    this.states = new HiddenStates(precision);
    this.samplers = new Samplers(context);
    this.shelf = shelf;
    this.held = new int[context.sequences()];
  }

  /** Empties all sequences, and forgets all states; the next frame is the first one. */
  void begin() {
    number = 0;
    samplers.close();
    shelf.clear();
    Arrays.fill(held, 0);
    for (int sequence = 0; sequence < held.length; sequence++) {
      context.remove(sequence);
    }
  }

  /** Sequences that hold something. */
  int inUse() {
    return (int) Arrays.stream(held).filter(tokens -> tokens != 0).count();
  }

  int openSamplers() {
    return samplers.size();
  }

  /**
   * Computes a step; the buffer of what is given is valid until the next one.
   *
   * @throws StageException for a frame that must not have been sent; nothing but {@link #begin} may
   *     follow
   */
  StageFrame take(StageFrame frame) throws StageException {
    if (frame.number() != number + 1) {
      throw new StageException("frame %d follows frame %d".formatted(frame.number(), number));
    }
    number++;
    return switch (frame.content()) {
      case StepResult _ ->
          throw new StageException("a result came to a later stage (expected: a step)");
      case Step step -> new StageFrame(number, take(step));
    };
  }

  private StageFrame.Content take(Step step) throws StageException {
    for (StageOperation operation : step.operations()) {
      apply(operation);
    }
    boolean known = advance(step.runs());
    boolean failed = !step.failure().isEmpty();
    long tokens = failed ? 0 : Run.tokens(step.runs());
    long bytes = tokens * embeddingLength * step.precision().bytes();
    if (step.hidden().remaining() != bytes) {
      throw new StageException(
          "hidden states of %d bytes (expected: %d)".formatted(step.hidden().remaining(), bytes));
    }
    if (failed) {
      return failed(step, step.failure());
    }
    FloatBuffer hidden = states.read(step.hidden(), step.precision());
    if (!known) {
      return failed(step, "a step before failed, and this one goes on with what it left");
    }
    return step.runs().isEmpty() ? computed(step, NOTHING) : compute(step, hidden);
  }

  private StageFrame.Content compute(Step step, FloatBuffer hidden) {
    context.clearBatch();
    for (Run run : step.runs()) {
      for (int i = 1; i <= run.tokens(); i++) {
        boolean output = run.output() != null && i == run.tokens();
        context.addHidden(hidden, run.position() + i - 1, run.sequence(), output);
      }
    }
    try {
      if (context.decode() == DecodeContext.DecodeOutcome.NO_ROOM) {
        return failed(step, "the KV cache of a later stage has no room");
      }
    } catch (DecodeException e) {
      log.warn("a step of {} sequences failed", step.runs().size(), e);
      Arrays.setAll(held, sequence -> held[sequence] == 0 ? 0 : UNKNOWN);
      return failed(step, "a later stage failed while computing");
    }
    return computed(step, last ? NOTHING : states.write(context.hidden()));
  }

  private StageFrame.Content computed(Step step, ByteBuffer hidden) {
    return last
        ? new StepResult(samplers.choose(step.runs()), "")
        : new Step(step.operations(), step.runs(), hidden, states.precision(), "");
  }

  private StageFrame.Content failed(Step step, String reason) {
    for (Run run : step.runs()) {
      held[run.sequence()] = UNKNOWN;
    }
    return last
        ? StepResult.failed(reason)
        : new Step(step.operations(), step.runs(), NOTHING, states.precision(), reason);
  }

  /** Checks the runs and counts their tokens; whether it is known what their sequences hold. */
  private boolean advance(List<Run> runs) throws StageException {
    boolean known = true;
    int left = context.batchTokens();
    for (Run run : runs) {
      requireSequence(run.sequence());
      if (run.tokens() < 1 || run.tokens() > left) {
        throw new StageException(
            "a run of %s tokens (expected: 1 to %d)"
                .formatted(Integer.toUnsignedString(run.tokens()), left));
      }
      left -= run.tokens();
      if (held[run.sequence()] == UNKNOWN) {
        known = false;
      } else if (held[run.sequence()] != run.position()) {
        throw new StageException(
            "sequence %d goes on at position %s (expected: %d)"
                .formatted(
                    run.sequence(),
                    Integer.toUnsignedString(run.position()),
                    held[run.sequence()]));
      } else {
        held[run.sequence()] += run.tokens();
      }
      if (run.output() != null) {
        check(run.output());
      }
    }
    return known;
  }

  private void check(Run.Output output) throws StageException {
    int top = output.topLogprobs().orElse(0);
    if (top < 0 || top > MOST_TOP_LOGPROBS) {
      throw new StageException(
          "%s alternatives to a token (expected: at most %d)"
              .formatted(Integer.toUnsignedString(top), MOST_TOP_LOGPROBS));
    }
    if (last && !samplers.isOpen(output.sampler())) {
      throw unknownSampler(output.sampler());
    }
  }

  private static StageException unknownSampler(int sampler) {
    return new StageException(
        "sampler %s is not open".formatted(Integer.toUnsignedString(sampler)));
  }

  private void apply(StageOperation operation) throws StageException {
    switch (operation) {
      case StageOperation.Remove(int sequence) -> {
        requireSequence(sequence);
        context.remove(sequence);
        held[sequence] = 0;
      }
      case StageOperation.Truncate(int sequence, int from) -> truncate(sequence, from);
      case StageOperation.Copy(int from, int to, int tokens) -> copy(from, to, tokens);
      case StageOperation.Defragment() -> context.defragment();
      case StageOperation.Keep(int sequence, int key) -> keep(sequence, key);
      case StageOperation.Restore(int key, int sequence) -> restore(key, sequence);
      case StageOperation.Forget(int key) -> shelf.forget(key);
      case OpenSampler open -> {
        if (last) {
          open(open);
        }
      }
      case StageOperation.CloseSampler(int sampler) -> {
        if (last && !samplers.isOpen(sampler)) {
          throw unknownSampler(sampler);
        }
        samplers.close(sampler);
      }
    }
  }

  private void truncate(int sequence, int from) throws StageException {
    requireSequence(sequence);
    if (held[sequence] == UNKNOWN) {
      return;
    }
    requireHeld(sequence, from, 0);
    if (!context.truncate(sequence, from)) {
      throw new StageException("the state of a recurrent model cannot be cut back");
    }
    held[sequence] = from;
  }

  private void keep(int sequence, int key) throws StageException {
    requireSequence(sequence);
    if (held[sequence] == 0) {
      throw new StageException("sequence %d is to be kept and is empty".formatted(sequence));
    }
    shelf.keep(sequence, key, held[sequence]);
  }

  private void restore(int key, int sequence) throws StageException {
    requireEmpty(sequence);
    int tokens = shelf.restore(key, sequence);
    held[sequence] = tokens == 0 ? UNKNOWN : tokens;
  }

  private void copy(int from, int to, int tokens) throws StageException {
    requireSequence(from);
    requireEmpty(to);
    if (held[from] == UNKNOWN) {
      held[to] = UNKNOWN;
      return;
    }
    requireHeld(from, tokens, 1);
    context.copy(from, to, tokens);
    held[to] = tokens;
  }

  private void open(OpenSampler request) throws StageException {
    if (samplers.isOpen(request.sampler())) {
      throw new StageException(
          "sampler %s is open already".formatted(Integer.toUnsignedString(request.sampler())));
    }
    int most = SAMPLERS_EACH * held.length;
    if (samplers.size() >= most) {
      throw new StageException("more than %d samplers are open".formatted(most));
    }
    requireTokens(request.prompt());
    requireTokens(request.generated());
    samplers.openOrRemember(request);
  }

  private void requireTokens(int[] tokens) throws StageException {
    for (int token : tokens) {
      if (token < 0 || token >= vocabulary) {
        throw new StageException(
            "token %s (expected: 0 to %d)"
                .formatted(Integer.toUnsignedString(token), vocabulary - 1));
      }
    }
  }

  private void requireSequence(int sequence) throws StageException {
    if (sequence < 0 || sequence >= held.length) {
      throw new StageException(
          "sequence %s (expected: 0 to %d)"
              .formatted(Integer.toUnsignedString(sequence), held.length - 1));
    }
  }

  private void requireEmpty(int sequence) throws StageException {
    requireSequence(sequence);
    if (held[sequence] != 0) {
      throw new StageException("sequence %d is copied to and is not empty".formatted(sequence));
    }
  }

  private void requireHeld(int sequence, int tokens, int least) throws StageException {
    if (tokens < least || tokens > held[sequence]) {
      throw new StageException(
          "%s tokens of sequence %d (expected: %d to %d)"
              .formatted(Integer.toUnsignedString(tokens), sequence, least, held[sequence]));
    }
  }

  @Override
  public void close() {
    samplers.close();
    shelf.clear();
    context.close();
  }
}
