package dev.cloister.engine.llamacpp;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.cloister.engine.generation.Sampling;
import dev.cloister.engine.llamacpp.capi.LlamaFunctions;
import dev.cloister.engine.llamacpp.capi.NativeFunction;
import dev.cloister.engine.llamacpp.capi.NativeLog;
import dev.cloister.engine.llamacpp.capi.NativeMemory;
import dev.cloister.engine.llamacpp.stage.GraphStates;
import dev.cloister.engine.llamacpp.states.SequenceStates;
import dev.cloister.engine.model.ContextOptions;
import dev.cloister.engine.model.ContextOptions.KvType;
import dev.cloister.engine.model.DecodeContext;
import dev.cloister.engine.model.DecodeException;
import dev.cloister.engine.model.KeptState;
import dev.cloister.engine.model.ModelProperties;
import dev.cloister.engine.model.Pooling;
import dev.cloister.engine.model.StagePart;
import dev.cloister.engine.model.TokenProbabilities;
import dev.cloister.engine.model.TokenSampler;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.function.LongPredicate;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** A context in native memory; its batch is allocated once. */
final class NativeContext implements DecodeContext {

  private static final int NO_CELLS = 1;

  /**
   * Two contexts of one process that compute at once make wrong numbers in b4916, though they share
   * nothing: seen with two whole models on one thread each.
   */
  private static final Object ONE_AT_A_TIME = new Object();

  /** There the status is that of other failures, too; only the message tells. */
  private static final String NO_CELLS_IN_B4916 = "failed to prepare ubatch";

  private final LlamaFunctions llama;
  private final NativeLog nativeLog;
  private final NativeModel model;
  private final long context;
  private final long memory;
  private final int cells;
  private final int sequences;
  private final int batchTokens;
  private final Pooling pooling;
  private final KvType kvType;
  private final NativeFunction compute;

  private final Arena arena;
  private final StagePart part;
  private final @Nullable GraphStates states;
  private final NativeBatch batch;
  private final int tokens;
  private final float[] logits;
  private final Candidates candidates;
  private final SequenceStates saved;

  private boolean closed;

  /**
   * @param states null for a whole model
   * @param arena holds them, and is closed with the context
   */
  NativeContext(
      LlamaFunctions llama,
      NativeLog nativeLog,
      NativeModel model,
      long context,
      ContextOptions options,
      @Nullable GraphStates states,
      Arena arena) {
    this.part = model.part();
    this.states = states;
    this.arena = arena;
    this.llama = llama;
    this.nativeLog = nativeLog;
    this.model = model;
    this.context = context;
    this.memory = llama.memory(context);
    this.cells = llama.contextCells.toInt(context);
    this.sequences = options.sequences();
    this.batchTokens = Math.min(options.batchTokens(), llama.contextBatch.toInt(context));
    this.pooling = options.pooling();
    this.kvType = options.kvType();
    boolean encoderOnly =
        llama.modelHasEncoder.test(model.address()) && !llama.modelHasDecoder.test(model.address());
    this.compute = encoderOnly ? llama.encode : llama.decode;
    this.tokens = part.takesTokens() ? model.vocabulary().size() : 0;
    this.logits = new float[part.givesLogits() ? model.vocabulary().size() : 0];
    this.candidates = new Candidates(llama, logits.length, arena);
    this.saved = new SequenceStates(llama, context, origin(model.properties(), options), cells);
    this.batch =
        states == null
            ? NativeBatch.ofTokens(batchTokens, arena)
            : NativeBatch.ofStates(batchTokens, states.input(), arena);
  }

  @Override
  public int cells() {
    return cells;
  }

  @Override
  public int batchTokens() {
    return batchTokens;
  }

  @Override
  public int sequences() {
    return sequences;
  }

  @Override
  public void clearBatch() {
    batch.clear();
  }

  @Override
  public int add(int token, int position, int sequence, boolean output) {
    requireOpen();
    requirePart(part.takesTokens(), "takes hidden states, not tokens");
    batch.requireRoom();
    // llama.cpp ends the process for some of what these refuse.
    Objects.checkIndex(token, tokens);
    Objects.checkIndex(sequence, sequences);
    if (states != null) {
      model.embeddings().row(token, states.input(batch.size()));
    }
    return batch.add(token, position, sequence, isOutput(output));
  }

  @Override
  public int addHidden(FloatBuffer hidden, int position, int sequence, boolean output) {
    requireOpen();
    requirePart(!part.takesTokens(), "takes tokens, not hidden states");
    batch.requireRoom();
    Objects.checkIndex(sequence, sequences);
    requireStates().put(batch.size(), hidden);
    return batch.add(0, position, sequence, isOutput(output));
  }

  /** The last layer of a stage drops rows that are no outputs, as that of a whole model may. */
  private boolean isOutput(boolean asked) {
    return asked || !part.givesLogits() || pooling != Pooling.NONE;
  }

  @Override
  public FloatBuffer hidden() {
    requireOpen();
    requirePart(!part.givesLogits(), "gives logits, not hidden states");
    return requireStates().output();
  }

  private GraphStates requireStates() {
    return Objects.requireNonNull(states);
  }

  private void requirePart(boolean suits, String what) {
    if (!suits) {
      throw new IllegalStateException("the part %s of a model %s".formatted(part, what));
    }
  }

  @Override
  public int size() {
    return batch.size();
  }

  @Override
  public DecodeOutcome decode() {
    requireOpen();
    if (batch.size() == 0) {
      throw new IllegalStateException("the batch is empty");
    }
    requireRankable();
    nativeLog.clear();
    if (states != null) {
      boolean recurrent = model.properties().recurrent();
      states.begin(batch.size(), recurrent ? batch.equalPieces() : null);
    }
    int status = compute();
    if (status == 0) {
      if (states != null) {
        states.end();
      }
      return DecodeOutcome.DONE;
    }
    if (status == NO_CELLS || nativeLog.firstError().equals(NO_CELLS_IN_B4916)) {
      return DecodeOutcome.NO_ROOM;
    }
    throw new DecodeException(
        "%s failed to compute a batch (status %d)".formatted(llama.version().title(), status));
  }

  private int compute() {
    return switch (llama.version()) {
      case B4916 -> {
        synchronized (ONE_AT_A_TIME) {
          yield compute.toInt(context, batch.struct());
        }
      }
      case V0_5_0 -> compute.toInt(context, batch.struct());
    };
  }

  /** llama.cpp keeps the scores in a list as long as the batch, and ends the process beyond it. */
  private void requireRankable() {
    for (int place = 0; pooling == Pooling.RANK && place < batch.size(); place++) {
      Objects.checkIndex(batch.sequence(place), batch.size());
    }
  }

  @Override
  public TokenSampler newSampler(Sampling sampling, Optional<String> grammar) {
    requireOpen();
    requireLogits();
    return new NativeSampler(llama, this, model.nativeVocabulary(), sampling, grammar);
  }

  /** Room for the samplers of this context, one at a time. */
  Candidates candidates() {
    return candidates;
  }

  @Override
  public TokenProbabilities probabilities(int place, int token, int top) {
    return Logits.probabilities(row(place), token, top);
  }

  @Override
  public float[] logits(int place) {
    return row(place).clone();
  }

  /** The logits at a place, until the next call. */
  float[] row(int place) {
    requireOpen();
    requireLogits();
    long address = llama.logits.toLong(context, Objects.checkIndex(place, batch.size()));
    if (address == 0) {
      throw new IllegalStateException("no output was asked for at place %d".formatted(place));
    }
    copyFloats(address, logits);
    return logits;
  }

  private void requireLogits() {
    requirePart(part.givesLogits(), "gives hidden states, not logits");
  }

  @Override
  public float[] embedding(int sequence) {
    requireOpen();
    int[] places =
        IntStream.range(0, batch.size())
            .filter(place -> batch.sequence(place) == sequence)
            .toArray();
    if (places.length == 0) {
      throw new IllegalStateException("sequence %d is not in the batch".formatted(sequence));
    }
    return switch (pooling) {
      case NONE -> throw new IllegalStateException("this context makes no embeddings");
      case MEAN -> mean(places);
      case CLS -> tokenEmbedding(places[0]);
      case LAST -> tokenEmbedding(places[places.length - 1]);
      case RANK -> floats(llama.sequenceEmbedding.toLong(context, sequence), 1);
    };
  }

  private float[] mean(int[] places) {
    double[] sum = new double[model.properties().embeddingLength()];
    for (int place : places) {
      float[] embedding = tokenEmbedding(place);
      for (int i = 0; i < sum.length; i++) {
        sum[i] += embedding[i];
      }
    }
    float[] mean = new float[sum.length];
    for (int i = 0; i < mean.length; i++) {
      mean[i] = (float) (sum[i] / places.length);
    }
    return mean;
  }

  private float[] tokenEmbedding(int place) {
    return floats(
        llama.tokenEmbedding.toLong(context, place), model.properties().embeddingLength());
  }

  private static float[] floats(long address, int count) {
    if (address == 0) {
      throw new DecodeException("the model gives no embedding");
    }
    float[] floats = new float[count];
    copyFloats(address, floats);
    return floats;
  }

  private static void copyFloats(long address, float[] target) {
    MemorySegment source = NativeMemory.at(address, (long) target.length * Float.BYTES);
    MemorySegment.copy(source, JAVA_FLOAT, 0, target, 0, target.length);
  }

  @Override
  public boolean truncate(int sequence, int fromPosition) {
    requireOpen();
    return llama.removeSequence(memory, Objects.checkIndex(sequence, sequences), fromPosition, -1);
  }

  @Override
  public void remove(int sequence) {
    requireOpen();
    llama.removeSequence(memory, Objects.checkIndex(sequence, sequences), -1, -1);
  }

  @Override
  public void copy(int from, int to, int tokens) {
    requireOpen();
    llama.copySequence(
        memory, Objects.checkIndex(from, sequences), Objects.checkIndex(to, sequences), 0, tokens);
  }

  /**
   * Only b4916 has use for it, and it can end the process there: it copies quantized cells wrongly
   * (llama.cpp's issue 12253), and having moved cells it lays out a whole batch behind those in
   * use, even past the last one (issue 13359).
   */
  @Override
  public boolean defragment() {
    requireOpen();
    return kvType == KvType.F16 && llama.defragment(context, cells - batchTokens);
  }

  @Override
  public long save(int sequence, int[] tokens, Path file) throws IOException {
    return saved().save(Objects.checkIndex(sequence, sequences), tokens, file);
  }

  @Override
  public int[] restore(int sequence, Path file) throws IOException {
    return saved().restore(Objects.checkIndex(sequence, sequences), file);
  }

  @Override
  public @Nullable KeptState keep(int sequence, LongPredicate room) {
    return saved().keep(Objects.checkIndex(sequence, sequences), room);
  }

  @Override
  public boolean restore(int sequence, KeptState state) {
    return saved().restore(Objects.checkIndex(sequence, sequences), state);
  }

  private SequenceStates saved() {
    requireOpen();
    return saved;
  }

  /** What two contexts must have in common to exchange states. */
  private static String origin(ModelProperties model, ContextOptions options) {
    return "%s, %s of %d parameters in %d bytes, %d tokens, KV cache in %s, flash attention %s"
        .formatted(
            model.library(),
            model.architecture(),
            model.parameters(),
            model.sizeBytes(),
            options.sequenceTokens(),
            options.kvType(),
            options.flashAttention());
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("this context is closed");
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    llama.contextFree.run(context);
    arena.close();
    model.contextClosed();
  }
}
