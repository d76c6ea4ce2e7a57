package dev.cloister.engine.llamacpp;

import dev.cloister.engine.generation.ModelLoadException;
import dev.cloister.engine.llamacpp.capi.LlamaFunctions;
import dev.cloister.engine.llamacpp.capi.NativeStruct;
import dev.cloister.engine.model.ContextOptions;
import dev.cloister.engine.model.ContextOptions.FlashAttention;
import dev.cloister.engine.model.ContextOptions.KvType;
import dev.cloister.engine.model.Pooling;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Options as {@code llama_context_params}. */
final class ContextParameters {

  // Of enum ggml_type.
  private static final int F16 = 1;
  private static final int Q8_0 = 8;

  // Of enum llama_pooling_type. Vectors are pooled in Java: b4916 ends the process for the mean of
  // most models (issue 12517), v0.5.0 where batch and sequences do not divide (issue 27175).
  private static final int UNPOOLED = 0;
  private static final int RANK = 4;

  private ContextParameters() {}

  static MemorySegment of(
      LlamaFunctions llama,
      ContextOptions options,
      boolean recurrent,
      MemorySegment evaluationCallback,
      Arena arena)
      throws ModelLoadException {
    boolean quantized = options.kvType() != KvType.F16;
    if (quantized && options.flashAttention() == FlashAttention.OFF) {
      throw new ModelLoadException(
          "kv-type %s needs flash attention, which is turned off; leave it to auto"
              .formatted(options.kvType()));
    }
    MemorySegment params = llama.contextDefaults(arena);
    NativeStruct fields = llama.version().contextParams();
    fields.set(params, "n_ctx", options.cells());
    fields.set(params, "n_seq_max", sequences(llama, options, recurrent));
    // One batch is computed in one piece, so that one that finds no room leaves nothing half done.
    fields.set(params, "n_batch", options.batchTokens());
    fields.set(params, "n_ubatch", options.batchTokens());
    fields.set(params, "n_threads", threads(options.threads()));
    fields.set(params, "n_threads_batch", threads(options.batchThreads()));
    fields.set(params, "type_k", quantized ? Q8_0 : F16);
    fields.set(params, "type_v", quantized ? Q8_0 : F16);
    fields.set(params, "offload_kqv", options.kvOnGpu());
    fields.set(params, "cb_eval", evaluationCallback);
    fields.set(params, "embeddings", options.pooling() != Pooling.NONE);
    fields.set(params, "pooling_type", options.pooling() == Pooling.RANK ? RANK : UNPOOLED);
    FlashAttention flash = quantized ? FlashAttention.ON : options.flashAttention();
    switch (llama.version()) {
      case B4916 -> fields.set(params, "flash_attn", flash == FlashAttention.ON);
      case V0_5_0 -> {
        fields.set(params, "flash_attn_type", flashType(flash));
        // Sequences share one pool of cells, and copies of a prefix cost nothing.
        fields.set(params, "kv_unified", true);
        // The whole window is kept of layers that look at a part of it: sequences can be cut back.
        fields.set(params, "swa_full", true);
        fields.set(params, "n_outputs_max", options.batchTokens());
        fields.set(params, "n_outputs_max_per_seq", options.batchTokens());
      }
    }
    return params;
  }

  /**
   * b4916 takes any sequence number, except for recurrent models, and divides the cells by this
   * number for what it takes for the length of a sequence (Phi-3's choice of rotary factors).
   */
  private static int sequences(LlamaFunctions llama, ContextOptions options, boolean recurrent) {
    return switch (llama.version()) {
      case B4916 ->
          recurrent ? options.sequences() : Math.max(1, options.cells() / options.sequenceTokens());
      case V0_5_0 -> options.sequences();
    };
  }

  private static int threads(int asked) {
    return asked > 0 ? asked : HostMachine.THIS.physicalCores();
  }

  /** Of enum llama_flash_attn_type. */
  private static int flashType(FlashAttention flash) {
    return switch (flash) {
      case AUTO -> -1;
      case OFF -> 0;
      case ON -> 1;
    };
  }
}
