package dev.cloister.engine.batching;

/**
 * What a batcher may use of its context.
 *
 * @param slots answers made at the same time
 * @param contextTokens tokens of one request, prompt and answer together
 * @param queue requests that may wait for a slot
 * @param recurrent whether sequences cannot be cut back to a prefix
 * @param shelfBytes main memory for what ended sequences held; 0 leaves it in the KV cache
 */
public record BatchLimits(
    int slots, int contextTokens, int queue, boolean recurrent, long shelfBytes) {

  private static final int MOST_RETAINED = 512;

  /** Without memory beside the KV cache. */
  public BatchLimits(int slots, int contextTokens, int queue, boolean recurrent) {
    this(slots, contextTokens, queue, recurrent, 0);
  }

  /**
   * Sequences the context must tell apart: one a slot, and as many that are kept for their prefix.
   * A recurrent model pays for each with a state of its own, and keeps fewer.
   */
  public int sequences() {
    return recurrent ? slots * 2 : slots * 4;
  }

  /** Tokens whose state must fit in the context. */
  public int cells() {
    return Math.multiplyExact(slots, contextTokens);
  }

  /** Tokens of a batch: as many as are asked for, but room beside every slot's next token. */
  public int batchTokens(int asked) {
    return Math.min(Math.max(asked, 2 * slots), cells());
  }

  /**
   * Tokens kept in cells of sequences that have ended, beside the last of them, which is always
   * kept whole. Attention on a processor reads every cell up to the last in use, so that what is
   * kept slows every answer down.
   */
  int retainedTokens() {
    return Math.min(contextTokens, MOST_RETAINED);
  }
}
