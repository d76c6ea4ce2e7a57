package dev.cloister.engine.llamacpp.capi;

import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.cloister.engine.generation.ModelLoadException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * The functions of llama.cpp that are used, with the shapes that {@code include/llama.h} of the
 * version declares. Thread-safe, as far as llama.cpp is: models are shared, a context belongs to
 * one thread at a time.
 */
public final class LlamaFunctions extends Symbols {

  private static final ValueLayout POINTER = JAVA_LONG;

  private final LlamaVersion version;

  /** What the library computes with. */
  public final GgmlTensors tensors;

  public final NativeFunction backendInit = procedure("llama_backend_init");
  public final NativeFunction logSet = procedure("llama_log_set", POINTER, POINTER);
  public final NativeFunction supportsGpuOffload =
      function("llama_supports_gpu_offload", JAVA_BOOLEAN);

  public final NativeFunction modelFree = procedure("llama_model_free", POINTER);
  public final NativeFunction modelVocab = function("llama_model_get_vocab", POINTER, POINTER);
  public final NativeFunction modelTrainedContext =
      function("llama_model_n_ctx_train", JAVA_INT, POINTER);
  public final NativeFunction modelEmbedding = function("llama_model_n_embd", JAVA_INT, POINTER);
  public final NativeFunction modelLayers = function("llama_model_n_layer", JAVA_INT, POINTER);
  public final NativeFunction modelHeads = function("llama_model_n_head", JAVA_INT, POINTER);
  public final NativeFunction modelKvHeads = function("llama_model_n_head_kv", JAVA_INT, POINTER);
  public final NativeFunction modelParameters =
      function("llama_model_n_params", JAVA_LONG, POINTER);
  public final NativeFunction modelSize = function("llama_model_size", JAVA_LONG, POINTER);
  public final NativeFunction modelRecurrent =
      function("llama_model_is_recurrent", JAVA_BOOLEAN, POINTER);
  public final NativeFunction modelHasEncoder =
      function("llama_model_has_encoder", JAVA_BOOLEAN, POINTER);
  public final NativeFunction modelHasDecoder =
      function("llama_model_has_decoder", JAVA_BOOLEAN, POINTER);
  public final NativeFunction modelMetadata =
      function("llama_model_meta_val_str", JAVA_INT, POINTER, POINTER, POINTER, POINTER);

  public final NativeFunction vocabTokens = function("llama_vocab_n_tokens", JAVA_INT, POINTER);
  public final NativeFunction vocabBegin = function("llama_vocab_bos", JAVA_INT, POINTER);
  public final NativeFunction vocabEnd = function("llama_vocab_eos", JAVA_INT, POINTER);
  public final NativeFunction vocabSeparator = function("llama_vocab_sep", JAVA_INT, POINTER);
  public final NativeFunction vocabEndsGeneration =
      function("llama_vocab_is_eog", JAVA_BOOLEAN, POINTER, JAVA_INT);
  public final NativeFunction vocabAttributes =
      function("llama_vocab_get_attr", JAVA_INT, POINTER, JAVA_INT);
  public final NativeFunction tokenize =
      function(
          "llama_tokenize",
          JAVA_INT,
          POINTER,
          POINTER,
          JAVA_INT,
          POINTER,
          JAVA_INT,
          JAVA_BOOLEAN,
          JAVA_BOOLEAN);
  public final NativeFunction tokenToPiece =
      function(
          "llama_token_to_piece",
          JAVA_INT,
          POINTER,
          JAVA_INT,
          POINTER,
          JAVA_INT,
          JAVA_INT,
          JAVA_BOOLEAN);

  public final NativeFunction contextFree = procedure("llama_free", POINTER);
  public final NativeFunction contextCells = function("llama_n_ctx", JAVA_INT, POINTER);
  public final NativeFunction contextBatch = function("llama_n_batch", JAVA_INT, POINTER);
  public final NativeFunction decode =
      function("llama_decode", JAVA_INT, POINTER, LlamaVersion.BATCH.layout());
  public final NativeFunction encode =
      function("llama_encode", JAVA_INT, POINTER, LlamaVersion.BATCH.layout());
  public final NativeFunction logits = function("llama_get_logits_ith", POINTER, POINTER, JAVA_INT);
  public final NativeFunction tokenEmbedding =
      function("llama_get_embeddings_ith", POINTER, POINTER, JAVA_INT);
  public final NativeFunction sequenceEmbedding =
      function("llama_get_embeddings_seq", POINTER, POINTER, JAVA_INT);
  public final NativeFunction stateSize =
      function("llama_state_seq_get_size", JAVA_LONG, POINTER, JAVA_INT);
  public final NativeFunction stateGet =
      function("llama_state_seq_get_data", JAVA_LONG, POINTER, POINTER, JAVA_LONG, JAVA_INT);
  public final NativeFunction stateSet =
      function("llama_state_seq_set_data", JAVA_LONG, POINTER, POINTER, JAVA_LONG, JAVA_INT);

  /** Its argument is a structure of one boolean by value, which travels as that byte. */
  public final NativeFunction samplerChain =
      function("llama_sampler_chain_init", POINTER, JAVA_BYTE);

  public final NativeFunction samplerAdd = procedure("llama_sampler_chain_add", POINTER, POINTER);
  public final NativeFunction samplerFree = procedure("llama_sampler_free", POINTER);
  public final NativeFunction samplerApply = procedure("llama_sampler_apply", POINTER, POINTER);
  public final NativeFunction samplerAccept = procedure("llama_sampler_accept", POINTER, JAVA_INT);
  public final NativeFunction logitBias =
      function("llama_sampler_init_logit_bias", POINTER, JAVA_INT, JAVA_INT, POINTER);
  public final NativeFunction greedy = function("llama_sampler_init_greedy", POINTER);
  public final NativeFunction topK = function("llama_sampler_init_top_k", POINTER, JAVA_INT);
  public final NativeFunction typical =
      function("llama_sampler_init_typical", POINTER, JAVA_FLOAT, JAVA_LONG);
  public final NativeFunction topP =
      function("llama_sampler_init_top_p", POINTER, JAVA_FLOAT, JAVA_LONG);
  public final NativeFunction minP =
      function("llama_sampler_init_min_p", POINTER, JAVA_FLOAT, JAVA_LONG);
  public final NativeFunction temperature =
      function("llama_sampler_init_temp", POINTER, JAVA_FLOAT);
  public final NativeFunction distribution = function("llama_sampler_init_dist", POINTER, JAVA_INT);
  public final NativeFunction grammar =
      function("llama_sampler_init_grammar", POINTER, POINTER, POINTER, POINTER);

  private final NativeFunction loadModel;
  private final NativeFunction defaultModelParams;
  private final NativeFunction openContext;
  private final NativeFunction defaultContextParams;
  private final NativeFunction penalties;
  private final NativeFunction sequenceRemove;
  private final NativeFunction sequenceCopy;

  /** Only in b4916. */
  private @Nullable NativeFunction defragment;

  private @Nullable NativeFunction update;

  private @Nullable NativeFunction usedCells;

  /** Only since b4916. */
  private @Nullable NativeFunction memory;

  private @Nullable NativeFunction versionText;
  private @Nullable NativeFunction modelHybrid;
  private @Nullable NativeFunction modelEmbeddingOut;

  /**
   * Looks all functions up and checks that the library's structures are those of the version.
   *
   * @throws ModelLoadException for a library that is not of this version
   */
  public LlamaFunctions(LlamaVersion version, SymbolLookup symbols) throws ModelLoadException {
    super(symbols);
    this.version = version;
    this.tensors = new GgmlTensors(symbols);
    MemoryLayout model = version.modelParams().layout();
    MemoryLayout context = version.contextParams().layout();
    loadModel = function("llama_model_load_from_file", POINTER, POINTER, model);
    defaultModelParams = function("llama_model_default_params", model);
    openContext = function("llama_init_from_model", POINTER, POINTER, context);
    defaultContextParams = function("llama_context_default_params", context);
    String memoryPrefix =
        switch (version) {
          case B4916 -> "llama_kv_self_";
          case V0_5_0 -> "llama_memory_";
        };
    sequenceRemove =
        function(memoryPrefix + "seq_rm", JAVA_BOOLEAN, POINTER, JAVA_INT, JAVA_INT, JAVA_INT);
    sequenceCopy =
        procedure(memoryPrefix + "seq_cp", POINTER, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
    String penaltiesName = "llama_sampler_init_penalties";
    penalties =
        switch (version) {
          case B4916 ->
              function(penaltiesName, POINTER, JAVA_INT, JAVA_FLOAT, JAVA_FLOAT, JAVA_FLOAT);
          case V0_5_0 ->
              function(
                  penaltiesName, POINTER, JAVA_INT, JAVA_INT, JAVA_FLOAT, JAVA_FLOAT, JAVA_FLOAT);
        };
    switch (version) {
      case B4916 -> {
        defragment = procedure("llama_kv_self_defrag", POINTER);
        update = procedure("llama_kv_self_update", POINTER);
        usedCells = function("llama_kv_self_used_cells", JAVA_INT, POINTER);
      }
      case V0_5_0 -> {
        versionText = function("llama_version", POINTER);
        memory = function("llama_get_memory", POINTER, POINTER);
        modelHybrid = function("llama_model_is_hybrid", JAVA_BOOLEAN, POINTER);
        modelEmbeddingOut = function("llama_model_n_embd_out", JAVA_INT, POINTER);
      }
    }
    verify();
  }

  /** Which version this is. */
  public LlamaVersion version() {
    return version;
  }

  /** {@code llama_model_params} as the library would have them. */
  public MemorySegment modelDefaults(Arena arena) {
    return defaultModelParams.toStruct(arena);
  }

  /** {@code llama_context_params} as the library would have them. */
  public MemorySegment contextDefaults(Arena arena) {
    return defaultContextParams.toStruct(arena);
  }

  /** The model, or 0. */
  public long loadModel(MemorySegment file, MemorySegment params) {
    return loadModel.toLong(file.address(), params);
  }

  /** The context, or 0. */
  public long openContext(long model, MemorySegment params) {
    return openContext.toLong(model, params);
  }

  /** What holds the KV cache of a context, for the calls below. */
  public long memory(long context) {
    return memory == null ? context : memory.toLong(context);
  }

  /** Forgets positions [from, to) of a sequence; negative bounds are open. */
  public boolean removeSequence(long memory, int sequence, int from, int to) {
    return sequenceRemove.test(memory, sequence, from, to);
  }

  /** Makes positions [from, to) of a sequence those of another, too. */
  public void copySequence(long memory, int source, int target, int from, int to) {
    sequenceCopy.run(memory, source, target, from, to);
  }

  /** Moves the cells together where that is of use and no more than so many are in use. */
  public boolean defragment(long context, int mostUsed) {
    if (defragment == null || update == null || usedCells == null) {
      return false;
    }
    if (usedCells.toInt(context) > mostUsed) {
      return false;
    }
    defragment.run(context);
    update.run(context);
    return true;
  }

  /** Whether a sequence's state cannot be cut back. */
  public boolean recurrent(long model) {
    return modelRecurrent.test(model) || (modelHybrid != null && modelHybrid.test(model));
  }

  /** Numbers in a token's embedding. */
  public int embeddingLength(long model) {
    return modelEmbeddingOut == null ? modelEmbedding.toInt(model) : modelEmbeddingOut.toInt(model);
  }

  /** A sampler that makes repetition less likely. */
  public long penalties(int tokens, int last, float repeat, float frequency, float presence) {
    return switch (version) {
      case B4916 -> penalties.toLong(last, repeat, frequency, presence);
      case V0_5_0 -> penalties.toLong(tokens, last, repeat, frequency, presence);
    };
  }

  /** Another layout would make these defaults come out as something else. */
  private void verify() throws ModelLoadException {
    if (!missing().isEmpty()) {
      throw new ModelLoadException(
          "this library is not %s: it does not export %s (and %d more)"
              .formatted(version.title(), missing().getFirst(), missing().size() - 1));
    }
    if (versionText != null) {
      String text = NativeMemory.text(versionText.toLong());
      if (!text.startsWith("0.5.0")) {
        throw new ModelLoadException(
            "this library is llama.cpp %s (expected: 0.5.0)".formatted(text));
      }
    }
    try (Arena arena = Arena.ofConfined()) {
      NativeStruct context = version.contextParams();
      MemorySegment contextParams = contextDefaults(arena);
      NativeStruct model = version.modelParams();
      boolean known =
          context.getInt(contextParams, "n_ctx") == 512
              && context.getInt(contextParams, "n_batch") == 2048
              && context.getInt(contextParams, "type_k") == 1
              && context.getInt(contextParams, "type_v") == 1
              && context.getBoolean(contextParams, "offload_kqv")
              && context.getBoolean(contextParams, "no_perf")
              && model.getInt(modelDefaults(arena), "split_mode") == 1;
      if (!known) {
        throw new ModelLoadException(
            "this library is not %s: its default parameters are others; install the version that is expected"
                .formatted(version.title()));
      }
    }
  }
}
