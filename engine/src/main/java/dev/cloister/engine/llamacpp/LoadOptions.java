package dev.cloister.engine.llamacpp;

/**
 * Where a model's weights go.
 *
 * @param gpuLayers layers on the GPU; {@link #ALL_LAYERS} for all of them
 * @param mainGpu number of the only GPU to use; {@link #ALL_GPUS} to spread layers over all
 * @param mmap maps the file into memory instead of reading it
 */
public record LoadOptions(int gpuLayers, int mainGpu, boolean mmap) {

  public static final int ALL_LAYERS = -1;
  public static final int ALL_GPUS = -1;

  /** All on the processor. */
  public static final LoadOptions CPU = new LoadOptions(0, ALL_GPUS, true);

  public LoadOptions {
    if (gpuLayers < ALL_LAYERS) {
      throw new IllegalArgumentException(
          "gpu-layers: %d (expected: 0 or more, or -1 for all)".formatted(gpuLayers));
    }
    if (mainGpu < ALL_GPUS) {
      throw new IllegalArgumentException(
          "main-gpu: %d (expected: 0 or more, or -1 for all)".formatted(mainGpu));
    }
  }
}
