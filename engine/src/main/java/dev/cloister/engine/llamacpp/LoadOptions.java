package dev.cloister.engine.llamacpp;

import dev.cloister.engine.model.StagePart;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Where a model's weights go, and which of its layers they are.
 *
 * @param gpuLayers layers on the GPU; {@link #ALL_LAYERS} for all of them
 * @param mainGpu number of the only GPU to use; {@link #ALL_GPUS} to spread layers over all
 * @param mmap maps the file into memory instead of reading it
 * @param part of the whole model that the file holds
 * @param lexicon of a first stage: the GGUF file with the tokenizer and the embeddings of tokens
 */
public record LoadOptions(
    int gpuLayers, int mainGpu, boolean mmap, StagePart part, Optional<Path> lexicon) {

  public static final int ALL_LAYERS = -1;
  public static final int ALL_GPUS = -1;

  /** A whole model on the processor. */
  public static final LoadOptions CPU = whole(0, ALL_GPUS, true);

  public LoadOptions {
    if (gpuLayers < ALL_LAYERS) {
      throw new IllegalArgumentException(
          "gpu-layers: %d (expected: 0 or more, or -1 for all)".formatted(gpuLayers));
    }
    if (mainGpu < ALL_GPUS) {
      throw new IllegalArgumentException(
          "main-gpu: %d (expected: 0 or more, or -1 for all)".formatted(mainGpu));
    }
    if (lexicon.isPresent() != (part == StagePart.FIRST)) {
      throw new IllegalArgumentException(
          "lexicon: %s for the part %s (expected: one for FIRST only)".formatted(lexicon, part));
    }
  }

  /** A whole model. */
  public static LoadOptions whole(int gpuLayers, int mainGpu, boolean mmap) {
    return new LoadOptions(gpuLayers, mainGpu, mmap, StagePart.WHOLE, Optional.empty());
  }

  /** The same places for a stage of a model. */
  public LoadOptions stage(StagePart stagePart, Optional<Path> lexiconFile) {
    return new LoadOptions(gpuLayers, mainGpu, mmap, stagePart, lexiconFile);
  }
}
