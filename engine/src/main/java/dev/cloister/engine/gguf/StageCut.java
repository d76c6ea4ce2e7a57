package dev.cloister.engine.gguf;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Some of a model's layers, cut out into a GGUF file that llama.cpp loads as a model of its own.
 * Tensor bytes are copied unchanged, so that the stages compute together, bit for bit, what the
 * whole model computes.
 *
 * <p>The last stage has the model's output and its tokenizer. The others have neither: hidden
 * states are read behind their last layer, so they get a vocabulary of {@value
 * #PLACEHOLDER_VOCABULARY} tokens whose embeddings are zero. No stage but a last one that shares
 * the embedding with the output holds the embedding; whoever feeds the first stage reads its rows
 * from the {@linkplain #lexicon lexicon}.
 *
 * <p>A model of an architecture that this package does not know is cut where it is said: that its
 * stages compute the same is not proved.
 *
 * @param firstLayer the first layer of the stage, from 0
 * @param endLayer the layer behind its last one
 * @param layers of the whole model
 */
public record StageCut(int firstLayer, int endLayer, int layers) {

  private static final int PLACEHOLDER_VOCABULARY = 32;
  private static final String EMBEDDING = "token_embd.weight";
  private static final String ALIGNMENT = "general.alignment";
  private static final String OUTPUT = "output.weight";

  public StageCut {
    if (firstLayer < 0 || endLayer <= firstLayer || endLayer > layers) {
      throw new IllegalArgumentException(
          "layers: %d to %d (expected: at least one of 0 to %d)"
              .formatted(firstLayer, endLayer, layers));
    }
  }

  /** Whether the stage ends with the model's last layer. */
  public boolean isLast() {
    return endLayer == layers;
  }

  /**
   * Writes the stage's file.
   *
   * @throws GgufException as {@link #recipe}
   * @throws IOException when the model cannot be read, or the file not written
   */
  public void write(GgufModel model, Path to) throws GgufException, IOException {
    recipe(model).write(model.file().path(), to);
  }

  /**
   * What the stage's file consists of.
   *
   * @throws GgufException when the model has another number of layers, or changes its kind of
   *     layers within the cut
   */
  public FileRecipe recipe(GgufModel model) throws GgufException {
    check(model);
    FileRecipe.Builder recipe = new FileRecipe.Builder(model.file());
    model.file().metadata().forEach((key, value) -> putMetadata(recipe, model, key, value));
    String prefix = model.architecture() + ".";
    recipe.put(prefix + "block_count", GgufValue.ofUint32(endLayer - firstLayer));
    if (!isLast()) {
      recipe
          .put("tokenizer.ggml.model", GgufValue.ofText("none"))
          .put(prefix + "vocab_size", GgufValue.ofUint32(PLACEHOLDER_VOCABULARY));
    }
    for (TensorInfo tensor : model.file().tensors().values()) {
      addTensor(recipe, model, tensor);
    }
    return recipe.build();
  }

  /**
   * What a model's lexicon consists of: all metadata, with the tokenizer, and of the tensors only
   * {@code token_embd.weight}. llama.cpp loads it as a vocabulary only; the first stage of several
   * takes the embeddings of its tokens from it.
   */
  public static FileRecipe lexicon(GgufModel model) {
    FileRecipe.Builder recipe = new FileRecipe.Builder(model.file());
    model
        .file()
        .metadata()
        .forEach(
            (key, value) -> {
              if (!key.equals(ALIGNMENT)) {
                recipe.put(key, value);
              }
            });
    recipe.tensor(EMBEDDING, model.file().tensor(EMBEDDING).orElseThrow());
    return recipe.build();
  }

  private void check(GgufModel model) throws GgufException {
    if (model.layers() != layers) {
      throw new GgufException(
          "the model has %d layers (expected: %d)".formatted(model.layers(), layers));
    }
    Optional<Architecture> architecture = Architecture.of(model.architecture());
    if (architecture.isEmpty() || (firstLayer == 0 && isLast())) {
      return;
    }
    Optional<String> whyWhole = architecture.get().whyWhole(model);
    if (whyWhole.isPresent()) {
      throw new GgufException("the model cannot be cut into stages: " + whyWhole.get());
    }
    List<Integer> cuts = architecture.get().cuts(model);
    int behind = isLast() ? firstLayer : endLayer;
    if (!cuts.contains(firstLayer) || !cuts.contains(behind)) {
      throw new GgufException(
          "a stage of a %s model cannot begin with layer %d (expected: one of %s)"
              .formatted(
                  model.architecture(), cuts.contains(firstLayer) ? behind : firstLayer, cuts));
    }
  }

  private void putMetadata(
      FileRecipe.Builder recipe, GgufModel model, String key, GgufValue value) {
    boolean droppedTokenizer = !isLast() && key.startsWith("tokenizer.");
    // Recipes align as files without this key are aligned.
    if (droppedTokenizer || key.equals(ALIGNMENT)) {
      return;
    }
    recipe.put(key, isPerLayer(model, key, value) ? value.slice(firstLayer, endLayer) : value);
  }

  /**
   * The numbers of dimensions in each section of a head have four elements, however many layers.
   */
  private boolean isPerLayer(GgufModel model, String key, GgufValue value) {
    return key.startsWith(model.architecture() + ".")
        && !key.endsWith(".rope.dimension_sections")
        && value.type() == ValueType.ARRAY
        && value.elementType() != ValueType.TEXT
        && value.count() == layers;
  }

  private void addTensor(FileRecipe.Builder recipe, GgufModel model, TensorInfo tensor) {
    String name = tensor.name();
    if (name.startsWith("blk.")) {
      int layer = Integer.parseInt(name.substring(4, name.indexOf('.', 4)));
      if (layer >= firstLayer && layer < endLayer) {
        String renamed = "blk." + (layer - firstLayer) + name.substring(name.indexOf('.', 4));
        recipe.tensor(renamed, tensor);
      }
    } else if (bringsOutput(model) && name.equals(OUTPUT)) {
      recipe.tensor(EMBEDDING, tensor);
    } else if (isPlaceholder(model.file().tensors(), name)) {
      if (bringsOutput(model)) {
        return;
      }
      long width = model.embeddingLength();
      long rows = isLast() ? model.vocabulary() : PLACEHOLDER_VOCABULARY;
      recipe.zeros(name, placeholder(width), List.of(width, rows));
    } else {
      recipe.tensor(name, tensor);
    }
  }

  /** As many zeros as a vocabulary has rows are in memory like anything else that is mapped. */
  private TensorType placeholder(long width) {
    return Stream.of(TensorType.IQ1_S, TensorType.Q4_0)
        .filter(type -> isLast() || type == TensorType.Q4_0)
        .filter(type -> width % type.blockElements() == 0)
        .findFirst()
        .orElse(TensorType.F16);
  }

  /**
   * Whether the model's output takes the place of its embedding, which llama.cpp insists on, though
   * the last stage never computes with it: where there is no output of its own, it is used for that
   * too.
   */
  private boolean bringsOutput(GgufModel model) {
    return isLast()
        && firstLayer > 0
        && model.file().tensors().containsKey(OUTPUT)
        && Architecture.of(model.architecture()).filter(Architecture::mayTieOutput).isPresent();
  }

  /** What llama.cpp insists on, though the stage never computes with it. */
  private boolean isPlaceholder(Map<String, TensorInfo> tensors, String name) {
    return switch (name) {
      case EMBEDDING -> !isLast() || (firstLayer > 0 && tensors.containsKey(OUTPUT));
      case OUTPUT -> !isLast();
      default -> false;
    };
  }
}
