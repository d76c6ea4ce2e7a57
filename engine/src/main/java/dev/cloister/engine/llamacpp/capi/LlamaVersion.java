package dev.cloister.engine.llamacpp.capi;

/**
 * The versions of llama.cpp that are known here, and how their structures lie in memory ({@code
 * include/llama.h} of each).
 */
public enum LlamaVersion {
  /** In java-llama.cpp 4.2.0. */
  B4916(
      "llama.cpp b4916",
      new NativeStruct.Builder()
          .pointers("devices")
          .ints("n_gpu_layers", "split_mode", "main_gpu")
          .pointers("tensor_split", "progress_callback", "progress_callback_user_data")
          .pointers("kv_overrides")
          .booleans("vocab_only", "use_mmap", "use_mlock", "check_tensors")
          .build(),
      new NativeStruct.Builder()
          .ints("n_ctx", "n_batch", "n_ubatch", "n_seq_max", "n_threads", "n_threads_batch")
          .ints("rope_scaling_type", "pooling_type", "attention_type")
          .floats("rope_freq_base", "rope_freq_scale", "yarn_ext_factor", "yarn_attn_factor")
          .floats("yarn_beta_fast", "yarn_beta_slow")
          .ints("yarn_orig_ctx")
          .floats("defrag_thold")
          .pointers("cb_eval", "cb_eval_user_data")
          .ints("type_k", "type_v")
          .booleans("logits_all", "embeddings", "offload_kqv", "flash_attn", "no_perf")
          .pointers("abort_callback", "abort_callback_data")
          .build()),
  /** In the npm packages {@code @node-llama-cpp/*} 3.22.1. */
  V0_5_0(
      "llama.cpp v0.5.0",
      new NativeStruct.Builder()
          .pointers("devices", "tensor_buft_overrides")
          .ints("n_gpu_layers", "split_mode", "load_mode", "lazy_mode", "main_gpu")
          .pointers("tensor_split", "progress_callback", "progress_callback_user_data")
          .pointers("kv_overrides")
          .booleans("vocab_only", "check_tensors", "use_extra_bufts", "no_host", "no_alloc")
          .booleans("load_mtp")
          .build(),
      new NativeStruct.Builder()
          .ints("n_ctx", "n_batch", "n_ubatch", "n_seq_max", "n_rs_seq")
          .ints("n_outputs_max", "n_outputs_max_per_seq", "n_threads", "n_threads_batch")
          .ints("ctx_type", "rope_scaling_type", "pooling_type", "attention_type")
          .ints("flash_attn_type")
          .floats("rope_freq_base", "rope_freq_scale", "yarn_ext_factor", "yarn_attn_factor")
          .floats("yarn_beta_fast", "yarn_beta_slow")
          .ints("yarn_orig_ctx")
          .floats("defrag_thold")
          .pointers("cb_eval", "cb_eval_user_data")
          .ints("type_k", "type_v")
          .pointers("abort_callback", "abort_callback_data")
          .booleans("embeddings", "offload_kqv", "no_perf", "op_offload", "swa_full")
          .booleans("kv_unified")
          .pointers("samplers")
          .longs("n_samplers")
          .pointers("ctx_other")
          .build());

  /** {@code llama_batch}, the same in all versions. */
  public static final NativeStruct BATCH =
      new NativeStruct.Builder()
          .ints("n_tokens")
          .pointers("token", "embd", "pos", "n_seq_id", "seq_id", "logits")
          .build();

  private final String title;

  @SuppressWarnings("ImmutableEnumChecker") // Layouts do not change.
  private final NativeStruct modelParams;

  @SuppressWarnings("ImmutableEnumChecker")
  private final NativeStruct contextParams;

  LlamaVersion(String title, NativeStruct modelParams, NativeStruct contextParams) {
    this.title = title;
    this.modelParams = modelParams;
    this.contextParams = contextParams;
  }

  /** For people: {@code llama.cpp b4916}. */
  public String title() {
    return title;
  }

  /** {@code llama_model_params}. */
  public NativeStruct modelParams() {
    return modelParams;
  }

  /** {@code llama_context_params}. */
  public NativeStruct contextParams() {
    return contextParams;
  }
}
