package dev.cloister.coordinator.fleet;

import dev.cloister.coordinator.catalog.Model;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a node is to have loaded of a model.
 *
 * @param contextTokens tokens that one request may use; 0 means what the model was trained for
 * @param slots requests answered at the same time
 * @param stage its layers; empty means all of them
 * @param gpuLayers layers on the GPU, -1 for all of them; empty leaves that to the model's options
 * @param memoryBytes main memory that the engine is predicted to take; 0 if nobody knows
 */
public record Assignment(
    Model model,
    int contextTokens,
    int slots,
    Optional<Stage> stage,
    OptionalInt gpuLayers,
    long memoryBytes) {

  public Assignment {
    if (contextTokens < 0 || slots < 1 || memoryBytes < 0) {
      throw new IllegalArgumentException(
          "%d tokens, %d slots, %d bytes (expected: >= 0, >= 1, >= 0)"
              .formatted(contextTokens, slots, memoryBytes));
    }
  }

  /** One whose memory nobody knows. */
  public Assignment(Model model, int contextTokens, int slots, Optional<Stage> stage) {
    this(model, contextTokens, slots, stage, OptionalInt.empty(), 0);
  }

  /** The same, with what the engine is predicted to take, and where its layers are to be. */
  public Assignment placed(OptionalInt layersOnGpu, long bytes) {
    return new Assignment(model, contextTokens, slots, stage, layersOnGpu, bytes);
  }

  /**
   * Some layers of a model, those from {@code firstLayer} to before {@code endLayer}.
   *
   * @param plan names the pipeline; unique in the cluster
   * @param index counted from 0
   * @param count of the pipeline's stages
   * @param shelfBytes of main memory for states that leave the KV cache
   */
  public record Stage(
      String plan, int index, int count, int firstLayer, int endLayer, long shelfBytes) {
    public Stage {
      if (index < 0 || index >= count || firstLayer < 0 || firstLayer >= endLayer) {
        throw new IllegalArgumentException(
            "stage %d of %d, layers %d to %d".formatted(index, count, firstLayer, endLayer));
      }
    }
  }
}
