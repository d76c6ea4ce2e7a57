package dev.cloister.engine;

import dev.cloister.engine.model.ContextOptions.FlashAttention;
import dev.cloister.engine.model.ContextOptions.KvType;
import dev.cloister.engine.model.StagePart;
import dev.cloister.engine.stage.Step.Precision;
import java.nio.file.Path;
import java.util.Optional;

/**
 * How a model is to be run.
 *
 * @param libraryCache where native libraries are kept
 * @param contextTokens tokens that one request may use; 0 means as many as the model was trained
 *     for, at most {@value #DEFAULT_CONTEXT_TOKENS}, else {@value #LEAST_CONTEXT_TOKENS} or more.
 *     Never more than the model was trained for.
 * @param slots requests answered at the same time; 0 means {@value #DEFAULT_SLOTS}
 * @param threads that compute answers; 0 means as many as there are physical cores
 * @param batchThreads that compute prompts; 0 means as many as {@code threads}
 * @param batchTokens tokens computed at once at most
 * @param gpuLayers layers on the GPU; {@link #ALL} for all of them
 * @param mainGpu the one GPU to use; {@link #ALL} to spread layers over all
 * @param prefixes folder for prefixes that outlive the process; belongs to this engine's model and,
 *     while it runs, to this engine alone
 * @param prefixBytes of all of them together
 * @param shelfBytes of main memory for ended sequences of a model on processors, which make way for
 *     others in the KV cache; never for more tokens than one request may use. Of a stage its own
 *     share: the first one keeps what it has room for, and others should have room for the same.
 * @param stage which of a model's layers the file holds
 */
public record Deployment(
    Path libraryCache,
    Library library,
    int contextTokens,
    int slots,
    int threads,
    int batchThreads,
    int batchTokens,
    int gpuLayers,
    int mainGpu,
    KvType kvType,
    KvPlace kvPlace,
    FlashAttention flashAttention,
    Optional<Path> prefixes,
    long prefixBytes,
    long shelfBytes,
    Stage stage) {

  /** All layers, or all GPUs. */
  public static final int ALL = -1;

  static final int DEFAULT_CONTEXT_TOKENS = 8192;

  /** A chat template alone takes a dozen tokens. */
  private static final int LEAST_CONTEXT_TOKENS = 32;

  static final int DEFAULT_SLOTS = 4;
  static final int DEFAULT_BATCH_TOKENS = 512;
  static final long DEFAULT_PREFIX_BYTES = 2L << 30;

  /** Placement counts with it. */
  static final long DEFAULT_SHELF_BYTES = 256L << 20;

  private static final int MAX_SLOTS = 64;
  private static final int MAX_STAGES = 64;

  /** Which native library runs the model. */
  public enum Library {
    /** The best that is installed for this machine, else the one that comes with Cloister. */
    AUTO,
    /** The one that comes with Cloister. */
    B4916,
    /** The one that comes with Cloister, through java-llama.cpp's Java API. */
    JNI
  }

  /** Where the KV cache lies. */
  public enum KvPlace {
    /** With the layers that are on a GPU. */
    GPU,
    /** In main memory. */
    HOST
  }

  /**
   * A stage of a pipeline.
   *
   * @param part WHOLE where the pipeline is one stage long
   * @param stages of the pipeline; only the first one counts them
   * @param lexicon of a first stage: the GGUF file with the tokenizer and the embeddings of tokens
   * @param hidden how hidden states travel from here to the next stage
   */
  public record Stage(StagePart part, int stages, Optional<Path> lexicon, Precision hidden) {

    /** All layers. */
    public static final Stage WHOLE =
        new Stage(StagePart.WHOLE, 1, Optional.empty(), Precision.F32);

    public Stage {
      require("stages", stages, part == StagePart.FIRST ? 2 : 1, MAX_STAGES);
      if (lexicon.isPresent() != (part == StagePart.FIRST)) {
        throw new IllegalArgumentException(
            "lexicon: %s (expected: a file with the first stage, and none with others)"
                .formatted(lexicon.map(Path::toString).orElse("none")));
      }
    }
  }

  public Deployment {
    require(
        "context", contextTokens, contextTokens == 0 ? 0 : LEAST_CONTEXT_TOKENS, Integer.MAX_VALUE);
    require("slots", slots, 0, MAX_SLOTS);
    require("threads", threads, 0, 1024);
    require("batch-threads", batchThreads, 0, 1024);
    require("batch", batchTokens, 32, 8192);
    require("gpu-layers", gpuLayers, ALL, 10_000);
    require("main-gpu", mainGpu, ALL, 64);
    require("prefix-bytes", prefixBytes, 0, Long.MAX_VALUE);
    require("shelf-bytes", shelfBytes, 0, Long.MAX_VALUE);
  }

  /** The library and folder alone; all else as the engine thinks best. */
  public static Deployment defaults(Path libraryCache) {
    return new Deployment(
        libraryCache,
        Library.AUTO,
        0,
        0,
        0,
        0,
        DEFAULT_BATCH_TOKENS,
        ALL,
        ALL,
        KvType.F16,
        KvPlace.GPU,
        FlashAttention.AUTO,
        Optional.empty(),
        DEFAULT_PREFIX_BYTES,
        DEFAULT_SHELF_BYTES,
        Stage.WHOLE);
  }

  /** The same with another library. */
  public Deployment with(Library other) {
    return copy(other, contextTokens, slots, threads, kvType);
  }

  /** The same with another context and number of slots. */
  public Deployment withContext(int tokens, int requests) {
    return copy(library, tokens, requests, threads, kvType);
  }

  /** The same with another number of threads. */
  public Deployment withThreads(int number) {
    return copy(library, contextTokens, slots, number, kvType);
  }

  /** The same with another type of the numbers in the KV cache. */
  public Deployment with(KvType other) {
    return copy(library, contextTokens, slots, threads, other);
  }

  /** The same for a stage of a model. */
  public Deployment with(Stage other) {
    return new Deployment(
        libraryCache,
        library,
        contextTokens,
        slots,
        threads,
        batchThreads,
        batchTokens,
        gpuLayers,
        mainGpu,
        kvType,
        kvPlace,
        flashAttention,
        prefixes,
        prefixBytes,
        shelfBytes,
        other);
  }

  private Deployment copy(
      Library otherLibrary, int tokens, int requests, int number, KvType otherKvType) {
    return new Deployment(
        libraryCache,
        otherLibrary,
        tokens,
        requests,
        number,
        batchThreads,
        batchTokens,
        gpuLayers,
        mainGpu,
        otherKvType,
        kvPlace,
        flashAttention,
        prefixes,
        prefixBytes,
        shelfBytes,
        stage);
  }

  int slotsOrDefault() {
    return slots == 0 ? DEFAULT_SLOTS : slots;
  }

  int contextTokensFor(long trainedContextTokens) {
    int wanted = contextTokens == 0 ? DEFAULT_CONTEXT_TOKENS : contextTokens;
    return (int) Math.min(wanted, trainedContextTokens);
  }

  private static void require(String name, long value, long least, long most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(
          "%s: %d (expected: %d to %d)".formatted(name, value, least, most));
    }
  }
}
