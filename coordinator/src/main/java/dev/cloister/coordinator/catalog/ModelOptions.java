package dev.cloister.coordinator.catalog;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * How a model is to be run wherever it is served. What is empty is left to the node, and after it
 * to the engine.
 *
 * @param contextTokens tokens that one request may use
 * @param slots requests answered at the same time
 * @param threads that compute answers; a node may grant fewer
 * @param batchThreads that compute prompts; a node may grant fewer
 * @param batchTokens tokens computed at once at most
 * @param gpuLayers layers on the GPU, -1 for all of them; a node may grant fewer
 * @param mainGpu the one GPU to use
 * @param kvType how numbers in the KV cache are stored
 * @param kvPlace where the KV cache lies
 * @param split over how many nodes its layers are spread, 1 for never; empty splits it only when no
 *     single node can hold it
 * @param force whether {@code split} holds for an architecture as well of which it is not proved
 *     that stages compute what the whole model does
 */
public record ModelOptions(
    OptionalInt contextTokens,
    OptionalInt slots,
    OptionalInt threads,
    OptionalInt batchThreads,
    OptionalInt batchTokens,
    OptionalInt gpuLayers,
    OptionalInt mainGpu,
    Optional<KvType> kvType,
    Optional<KvPlace> kvPlace,
    Optional<FlashAttention> flashAttention,
    OptionalInt split,
    boolean force) {

  /** What a chat template writes around a question alone takes a dozen tokens. */
  private static final int LEAST_CONTEXT_TOKENS = 32;

  /** Nothing said. */
  public static final ModelOptions NONE =
      new ModelOptions(
          OptionalInt.empty(),
          OptionalInt.empty(),
          OptionalInt.empty(),
          OptionalInt.empty(),
          OptionalInt.empty(),
          OptionalInt.empty(),
          OptionalInt.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          OptionalInt.empty(),
          false);

  /** Of a number in the KV cache. */
  public enum KvType {
    F16,
    Q8_0
  }

  /** Where the KV cache lies. */
  public enum KvPlace {
    /** With the layers that are on a GPU. */
    GPU,
    /** In main memory. */
    HOST
  }

  /** Attention without writing its matrix to memory. */
  public enum FlashAttention {
    AUTO,
    ON,
    OFF
  }

  /**
   * @throws IllegalArgumentException if a value is out of range or contradicts another; the message
   *     is one sentence
   */
  public ModelOptions {
    require("context", contextTokens, LEAST_CONTEXT_TOKENS, Integer.MAX_VALUE);
    require("slots", slots, 1, 64);
    require("threads", threads, 1, 1024);
    require("batch-threads", batchThreads, 1, 1024);
    require("batch", batchTokens, 32, 8192);
    require("gpu-layers", gpuLayers, -1, 10_000);
    require("main-gpu", mainGpu, 0, 64);
    require("split", split, 1, 64);
    if (kvType.equals(Optional.of(KvType.Q8_0))
        && flashAttention.equals(Optional.of(FlashAttention.OFF))) {
      throw new IllegalArgumentException(
          "kv-type q8_0 needs flash attention, which is turned off; leave it to auto");
    }
    if (force && split.orElse(1) == 1) {
      throw new IllegalArgumentException(
          "force: without a split (expected: split over 2 nodes or more)");
    }
  }

  /** The same, split otherwise, where that is proved to make no difference. */
  public ModelOptions withSplit(OptionalInt other) {
    return withSplit(other, false);
  }

  /** The same, split otherwise. */
  public ModelOptions withSplit(OptionalInt other, boolean forced) {
    return new ModelOptions(
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
        other,
        forced);
  }

  /** The same, with another context and another number of slots. */
  public ModelOptions withSize(OptionalInt otherContext, OptionalInt otherSlots) {
    return new ModelOptions(
        otherContext,
        otherSlots,
        threads,
        batchThreads,
        batchTokens,
        gpuLayers,
        mainGpu,
        kvType,
        kvPlace,
        flashAttention,
        split,
        force);
  }

  private static void require(String name, OptionalInt value, int least, int most) {
    if (value.isPresent() && (value.getAsInt() < least || value.getAsInt() > most)) {
      throw new IllegalArgumentException(
          "%s: %d (expected: %s)"
              .formatted(
                  name,
                  value.getAsInt(),
                  most == Integer.MAX_VALUE ? ">= " + least : least + " to " + most));
    }
  }
}
