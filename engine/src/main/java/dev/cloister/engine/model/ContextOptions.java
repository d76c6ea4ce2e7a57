package dev.cloister.engine.model;

/**
 * How a context is made.
 *
 * @param cells tokens whose state fits in the KV cache, of all sequences together
 * @param sequenceTokens tokens that one sequence may have; models with two sets of rotary factors
 *     (Phi-3) choose between them by it
 * @param sequences sequences it tells apart, numbered from 0
 * @param batchTokens tokens computed in one call at most
 * @param threads that compute one token a sequence; 0 means as many as there are physical cores
 * @param batchThreads that compute prompts; 0 likewise
 * @param kvType how numbers in the KV cache are stored
 * @param kvOnGpu whether the KV cache lies with the layers that are on a GPU
 * @param pooling {@link Pooling#NONE} for generation; else the context makes embeddings or scores
 */
public record ContextOptions(
    int cells,
    int sequenceTokens,
    int sequences,
    int batchTokens,
    int threads,
    int batchThreads,
    KvType kvType,
    FlashAttention flashAttention,
    boolean kvOnGpu,
    Pooling pooling) {

  /** The same with another pooling. */
  public ContextOptions pooled(Pooling other) {
    return new ContextOptions(
        cells,
        sequenceTokens,
        sequences,
        batchTokens,
        threads,
        batchThreads,
        kvType,
        flashAttention,
        kvOnGpu,
        other);
  }

  /** Of a number in the KV cache. */
  public enum KvType {
    F16,
    Q8_0
  }

  /** Attention without writing its matrix to memory. */
  public enum FlashAttention {
    /** As the native library thinks best. */
    AUTO,
    ON,
    OFF
  }
}
