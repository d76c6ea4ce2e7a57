package dev.cloister.coordinator.placement;

import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.catalog.ModelLayout;
import dev.cloister.coordinator.catalog.ModelLayout.Layer;
import dev.cloister.coordinator.catalog.ModelOptions;
import dev.cloister.coordinator.catalog.ModelOptions.FlashAttention;
import dev.cloister.coordinator.catalog.ModelOptions.KvType;
import java.util.List;
import java.util.OptionalInt;

/** A model, and how it is to be run. Immutable. */
public final class Demand {
  /** Requests a node answers at once; what is beyond waits in its engine's queue. */
  public static final int SLOTS = 4;

  /** As engines have it, where nothing is said. */
  private static final int MOST_CONTEXT_TOKENS = 8_192;

  private static final int BATCH_TOKENS = 512;

  /** A block of 32 numbers in Q8_0 takes 34 bytes, in F16 64. */
  private static final double Q8_0_OF_F16 = 34.0 / 64;

  private static final long PROCESS_BYTES = 200L << 20;

  private final String name;
  private final ModelLayout layout;
  private final int contextTokens;
  private final int slots;
  private final OptionalInt split;
  private final double kvFactor;
  private final boolean flashAttention;
  private final int batchTokens;
  private final long[] weightsBefore;
  private final long[] kvBefore;

  private Demand(Model model, ModelLayout layout) {
    ModelOptions options = model.options();
    this.name = model.name();
    this.layout = layout;
    this.contextTokens = contextTokens(options, layout);
    this.slots = options.slots().orElse(SLOTS);
    this.split = options.split();
    boolean quantized = options.kvType().filter(KvType.Q8_0::equals).isPresent();
    this.kvFactor = quantized ? Q8_0_OF_F16 : 1;
    this.flashAttention =
        quantized || options.flashAttention().filter(FlashAttention.ON::equals).isPresent();
    this.batchTokens =
        (int)
            Math.min(
                Math.max(options.batchTokens().orElse(BATCH_TOKENS), 2L * slots),
                (long) slots * contextTokens);
    List<Layer> layers = layout.layers();
    this.weightsBefore = new long[layers.size() + 1];
    this.kvBefore = new long[layers.size() + 1];
    for (int i = 0; i < layers.size(); i++) {
      weightsBefore[i + 1] = weightsBefore[i] + layers.get(i).weightBytes();
      kvBefore[i + 1] = kvBefore[i] + layers.get(i).kvBytesPerToken();
    }
  }

  /** A model with its own options. */
  public static Demand of(Model model, ModelLayout layout) {
    return new Demand(model, layout);
  }

  private static int contextTokens(ModelOptions options, ModelLayout layout) {
    int trained =
        layout.trainedContextTokens() > 0 ? layout.trainedContextTokens() : MOST_CONTEXT_TOKENS;
    return options.contextTokens().orElse(Math.min(trained, MOST_CONTEXT_TOKENS));
  }

  /** What engines take for all layers. */
  public StageMemory whole() {
    return memory(0, layers());
  }

  /** What an engine takes for the layers from {@code first} to before {@code end}. */
  StageMemory memory(int first, int end) {
    return new StageMemory(
        weightBytes(first, end) + lexiconBytes(first, end),
        ((long) ((kvBefore[end] - kvBefore[first]) * kvFactor)) * slots * contextTokens,
        computeBytes(end),
        PROCESS_BYTES);
  }

  /** What is read for each token: the layers, and behind the last one the head. */
  long weightBytes(int first, int end) {
    return weightsBefore[end] - weightsBefore[first] + (end == layers() ? layout.outputBytes() : 0);
  }

  /** The embedding of tokens, of which a token needs a row. */
  private long lexiconBytes(int first, int end) {
    boolean shared = end == layers() && layout.tiedOutput();
    return first == 0 && !shared ? layout.embeddingBytes() : 0;
  }

  /**
   * The widest that is there at one time, as llama.cpp's graph allocator finds it: inside a layer,
   * in attention (whose matrix is written unless flash attention avoids it), or behind the last
   * one.
   */
  private long computeBytes(int end) {
    long row = 4L * batchTokens;
    long feedForward = row * (2L * layout.embeddingLength() + 2L * layout.feedForwardLength());
    long attention =
        flashAttention
            ? row * 4L * layout.embeddingLength()
            : row * layout.heads() * slots * contextTokens;
    long head = end == layers() ? row * layout.vocabulary() : 0;
    return Math.max(head, Math.max(feedForward, attention)) + row * layout.embeddingLength();
  }

  /** Bytes of hidden states that one token takes from stage to stage. */
  long hopBytes() {
    return 4L * layout.embeddingLength() + 64;
  }

  int layers() {
    return layout.layers().size();
  }

  /** Where stages may begin and end: all cuts, and the end. */
  int[] boundaries() {
    int[] boundaries = new int[layout.cuts().size() + 1];
    for (int i = 0; i < layout.cuts().size(); i++) {
      boundaries[i] = layout.cuts().get(i);
    }
    boundaries[layout.cuts().size()] = layers();
    return boundaries;
  }

  /** Over how many nodes it is wanted; empty leaves that to the planner. */
  OptionalInt split() {
    return split;
  }

  /** Tokens that one request may use. */
  public int contextTokens() {
    return contextTokens;
  }

  /** Requests answered at the same time. */
  public int slots() {
    return slots;
  }

  String name() {
    return name;
  }

  ModelLayout layout() {
    return layout;
  }
}
