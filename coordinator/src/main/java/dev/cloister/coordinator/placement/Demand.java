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

  private static final long MOST_SHELF_BYTES = 256L << 20;

  /**
   * The Java process with its archive of classes, and the native library, in the middle of what the
   * libraries take.
   */
  private static final long PROCESS_BYTES = 137L << 20;

  /** Of a token's text and rank in the tokenizer's tables. */
  private static final long TOKEN_BYTES = 256;

  /** A mask's number in F32, and its copy in F16. */
  private static final long MASK_BYTES = 6;

  /** A token's logit where it is computed, where it is read, and what samplers make of it. */
  private static final long LOGIT_BYTES = 20;

  private final String name;
  private final ModelLayout layout;
  private final int contextTokens;
  private final int slots;
  private final OptionalInt split;
  private final boolean force;
  private final double kvFactor;
  private final FlashAttention flashAttention;
  private final int batchTokens;
  private final boolean mayBeOnGpu;
  private final long[] weightsBefore;
  private final long[] kvBefore;

  private Demand(Model model, ModelLayout layout) {
    ModelOptions options = model.options();
    this.name = model.name();
    this.layout = layout;
    this.contextTokens = contextTokens(options, layout);
    this.slots = options.slots().orElse(SLOTS);
    this.split = options.split();
    this.force = options.force();
    boolean quantized = options.kvType().filter(KvType.Q8_0::equals).isPresent();
    this.kvFactor = quantized ? Q8_0_OF_F16 : 1;
    this.flashAttention =
        quantized ? FlashAttention.ON : options.flashAttention().orElse(FlashAttention.AUTO);
    this.batchTokens =
        (int)
            Math.min(
                Math.max(options.batchTokens().orElse(BATCH_TOKENS), 2L * slots),
                (long) slots * contextTokens);
    this.mayBeOnGpu = options.gpuLayers().orElse(1) != 0;
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
  public StageMemory memory(int first, int end) {
    boolean writesAttention = flashAttention == FlashAttention.OFF;
    long avoidable = flashAttention == FlashAttention.AUTO ? attentionBytes() : 0;
    return new StageMemory(
        weightBytes(first, end) + lexiconBytes(first, end),
        kvBytesPerToken(first, end) * cells(),
        computeBytes(end) + (writesAttention ? attentionBytes() : 0),
        avoidable,
        shelfBytes(first, end),
        processBytes(first, end),
        mayBeOnGpu);
  }

  private long kvBytesPerToken(int first, int end) {
    return (long) ((kvBefore[end] - kvBefore[first]) * kvFactor);
  }

  /**
   * Stages share one, for the tokens of one request at most, as they share the KV cache. The first
   * of several decides what all keep, and has less: a state has a few bytes a token beside keys and
   * values, which weigh more the fewer layers a stage has.
   */
  private long shelfBytes(int first, int end) {
    long whole = Math.max(1, kvBytesPerToken(0, layers()));
    long part = kvBytesPerToken(first, end);
    long share =
        Math.min((long) (MOST_SHELF_BYTES * ((double) part / whole)), part * contextTokens);
    return first == 0 && end < layers() ? share - share / 16 : share;
  }

  /** The tokenizer is where text is read, and where grammars are followed. */
  private long processBytes(int first, int end) {
    boolean hasTokenizer = first == 0 || end == layers();
    return PROCESS_BYTES + (hasTokenizer ? TOKEN_BYTES * layout.vocabulary() : 0);
  }

  private long cells() {
    return (long) slots * contextTokens;
  }

  /** What is read for each token of an answer: the layers, and behind the last one the head. */
  long weightBytes(int first, int end) {
    return layerBytes(first, end) + (end == layers() ? layout.outputBytes() : 0);
  }

  /** What is read for a token of a prompt, whose logits nobody wants. */
  long layerBytes(int first, int end) {
    return weightsBefore[end] - weightsBefore[first];
  }

  /**
   * The embedding of tokens: in a whole model's file it is read with the rest; a first stage
   * touches the rows of tokens that occur.
   */
  private long lexiconBytes(int first, int end) {
    if (first > 0 || (end == layers() && layout.tiedOutput())) {
      return 0;
    }
    return end == layers() ? layout.embeddingBytes() : layout.embeddingBytes() / 2;
  }

  /**
   * The widest that is there at one time inside a layer, beside the mask of attention, and what is
   * behind the last layer: memory that is reserved for more tokens is never touched.
   */
  private long computeBytes(int end) {
    long mask = batchTokens * cells() * MASK_BYTES;
    long head = end == layers() ? (long) slots * layout.vocabulary() * LOGIT_BYTES : 0;
    return feedForwardBytes() + mask + head;
  }

  private long feedForwardBytes() {
    return 4L * batchTokens * (3L * layout.embeddingLength() + 2L * layout.feedForwardLength());
  }

  /** Its matrix for a batch; the same memory serves the feed-forward network before and after. */
  private long attentionBytes() {
    return Math.max(0, 4L * batchTokens * layout.heads() * cells() - feedForwardBytes());
  }

  /** Bytes of hidden states that one token takes from stage to stage. */
  long hopBytes() {
    return 4L * layout.embeddingLength() + 64;
  }

  int layers() {
    return layout.layers().size();
  }

  /** Whether a native library runs the layers from {@code first} to before {@code end}. */
  boolean runsOn(String library, int first, int end) {
    return layout.runsOn(library, end - first);
  }

  /** Whether a native library runs all of it. */
  public boolean runsOn(String library) {
    return runsOn(library, 0, layers());
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

  /** Whether that holds where nothing is proved of the architecture. */
  boolean force() {
    return force;
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
