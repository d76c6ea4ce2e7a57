package dev.cloister.engine.gguf;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/**
 * The model architectures whose tensors this package knows. Source: llama.cpp's {@code
 * src/llama-arch.cpp} and {@code src/llama-model.cpp}.
 */
public enum Architecture {
  LLAMA,
  QWEN2,
  GEMMA,
  GEMMA2,
  GEMMA3,
  PHI3,
  OLMO2,
  QWEN3,
  JAMBA;

  /** The value of {@code general.architecture}, and what its metadata keys begin with. */
  public String key() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * After how many layers the kinds of layers repeat where llama.cpp tells them from the layer's
   * number: every second layer of Gemma 2 and every sixth of Gemma 3 sees beyond its sliding
   * window. A part of a model that begins elsewhere would have layers of another kind.
   */
  public int layerPeriod() {
    return switch (this) {
      case GEMMA2 -> 2;
      case GEMMA3 -> 6;
      case LLAMA, QWEN2, GEMMA, PHI3, OLMO2, QWEN3, JAMBA -> 1;
    };
  }

  /**
   * What llama.cpp multiplies the embeddings of tokens by before the first layer; bit for bit, as a
   * float's product. Hidden states that go into a stage are not multiplied.
   *
   * @param width numbers in an embedding
   */
  public float embeddingScale(int width) {
    return switch (this) {
      case GEMMA, GEMMA2, GEMMA3 -> (float) Math.sqrt(width);
      case LLAMA, QWEN2, PHI3, OLMO2, QWEN3, JAMBA -> 1;
    };
  }

  /**
   * Why llama.cpp would compute something else with some of a model's layers than with all of them,
   * in one sentence; empty where it would not.
   */
  public Optional<String> whyWhole(int layers) {
    return switch (this) {
      case GEMMA2, GEMMA3 ->
          layers == (this == GEMMA2 ? 46 : 62)
              ? Optional.of(
                  "llama.cpp tells the attention scale of Gemma 27B from its number of layers")
              : Optional.empty();
      case JAMBA -> Optional.of("its layers keep a state that cannot be taken back");
      case LLAMA, QWEN2, GEMMA, PHI3, OLMO2, QWEN3 -> Optional.empty();
    };
  }

  /**
   * Whether llama.cpp b4916 runs so many layers of this architecture. It does not know some, ends
   * the process on others: Gemma 2 must have the layers of a published size, Gemma 3 one layer at
   * least that sees beyond its window.
   */
  public boolean runsOnB4916(int layers) {
    return switch (this) {
      case LLAMA, QWEN2, GEMMA, PHI3, OLMO2 -> true;
      case GEMMA2 -> layers == 26 || layers == 42 || layers == 46;
      case GEMMA3 -> layers >= layerPeriod();
      case QWEN3, JAMBA -> false;
    };
  }

  /** The architecture that {@code general.architecture} names, if it is one of these. */
  public static Optional<Architecture> of(String key) {
    return Arrays.stream(values()).filter(known -> known.key().equals(key)).findFirst();
  }
}
