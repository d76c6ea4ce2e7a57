package dev.cloister.engine.gguf;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

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

  private static final int GEMMA3_PERIOD = 6;

  /** The value of {@code general.architecture}, and what its metadata keys begin with. */
  public String key() {
    return name().toLowerCase(Locale.ROOT);
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

  /** Whether llama.cpp takes the embedding of tokens for the output where a file has none. */
  public boolean mayTieOutput() {
    return this != OLMO2;
  }

  /**
   * Why llama.cpp would compute something else with some of a model's layers than with all of them,
   * in one sentence; empty where it would not.
   */
  public Optional<String> whyWhole(GgufModel model) {
    return switch (this) {
      case GEMMA2, GEMMA3 ->
          model.layers() == (this == GEMMA2 ? 46 : 62)
              ? Optional.of(
                  "llama.cpp tells the attention scale of Gemma 27B from its number of layers")
              : Optional.empty();
      case PHI3 ->
          model.file().metadata().containsKey(slidingWindow())
              ? Optional.empty()
              : Optional.of(
                  "its file has no %s, and llama.cpp b4916 tells it from the number of layers"
                      .formatted(slidingWindow()));
      case LLAMA, QWEN2, GEMMA, OLMO2, QWEN3, JAMBA -> Optional.empty();
    };
  }

  private String slidingWindow() {
    return key() + ".attention.sliding_window";
  }

  /**
   * The layers with which a stage of the model may begin, ascending, 0 among them: between two of
   * them llama.cpp computes what it computes within the whole model.
   */
  public List<Integer> cuts(GgufModel model) {
    if (whyWhole(model).isPresent()) {
      return List.of(0);
    }
    if (this == JAMBA) {
      return cutsWithBothKinds(model.keyValueHeads());
    }
    int period = period(model);
    return IntStream.range(0, model.layers()).filter(layer -> layer % period == 0).boxed().toList();
  }

  /**
   * After how many layers the kinds of layers repeat where llama.cpp tells them from the layer's
   * number: every second layer of Gemma 2, sixth of Gemma 3 and fourth of OLMo 3 (which calls
   * itself OLMo 2) sees beyond its sliding window. A part that begins elsewhere would have layers
   * of another kind. Since b4916, a file may tell another period.
   */
  private int period(GgufModel model) {
    Map<String, GgufValue> metadata = model.file().metadata();
    int own =
        switch (this) {
          case GEMMA2 -> 2;
          case GEMMA3 -> GEMMA3_PERIOD;
          case OLMO2 -> metadata.containsKey(slidingWindow()) ? 4 : 1;
          case LLAMA, QWEN2, GEMMA, PHI3, QWEN3, JAMBA -> 1;
        };
    GgufValue stated = metadata.get(slidingWindow() + "_pattern");
    return stated == null || !stated.type().isInteger() || stated.asInteger() == own
        ? own
        : Math.toIntExact(Math.min(model.layers(), own * Math.max(1, stated.asInteger())));
  }

  /**
   * llama.cpp v0.5.0 ends the process on a stage without attention, and on one without recurrence:
   * there is at least one of both between two cuts.
   */
  private static List<Integer> cutsWithBothKinds(List<Integer> keyValueHeads) {
    List<Integer> cuts = new ArrayList<>();
    int end = keyValueHeads.size();
    for (int layer = end - 1; layer >= 0; layer--) {
      List<Integer> between = keyValueHeads.subList(layer, end);
      if (between.contains(0) && between.stream().anyMatch(heads -> heads > 0)) {
        cuts.addFirst(layer);
        end = layer;
      }
    }
    // What is left over in front goes with the first stage.
    if (cuts.isEmpty()) {
      return List.of(0);
    }
    cuts.set(0, 0);
    return List.copyOf(cuts);
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
      case GEMMA3 -> layers >= GEMMA3_PERIOD;
      case QWEN3, JAMBA -> false;
    };
  }

  /** The architecture that {@code general.architecture} names, if it is one of these. */
  public static Optional<Architecture> of(String key) {
    return Arrays.stream(values()).filter(known -> known.key().equals(key)).findFirst();
  }
}
