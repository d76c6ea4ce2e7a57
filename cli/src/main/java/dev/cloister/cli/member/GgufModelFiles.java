package dev.cloister.cli.member;

import dev.cloister.coordinator.catalog.ModelFiles;
import dev.cloister.coordinator.catalog.ModelLayout;
import dev.cloister.coordinator.catalog.StageFile;
import dev.cloister.engine.gguf.Architecture;
import dev.cloister.engine.gguf.FileRecipe;
import dev.cloister.engine.gguf.GgufException;
import dev.cloister.engine.gguf.GgufFile;
import dev.cloister.engine.gguf.GgufModel;
import dev.cloister.engine.gguf.StageCut;
import dev.cloister.engine.gguf.TensorInfo;
import dev.cloister.engine.library.InstalledLibraries;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** What the coordinator wants to know of GGUF files, read with the engine's own reader. */
public final class GgufModelFiles implements ModelFiles {
  private static final int F16_BYTES = 2;

  @Override
  public ModelLayout layout(Path file) throws IOException {
    GgufModel model = open(file);
    Optional<Architecture> architecture = Architecture.of(model.architecture());
    boolean pools =
        model.pooling().filter(pooling -> pooling != GgufModel.Pooling.NONE).isPresent();
    long embedding = bytes(model, "token_embd.weight");
    long output = bytes(model, "output.weight");
    return new ModelLayout(
        model.architecture(),
        model.contextTokens(),
        model.embeddingLength(),
        feedForwardLength(model),
        Collections.max(model.heads()),
        model.vocabulary(),
        embedding,
        output == 0 ? embedding : output,
        output == 0,
        layers(model),
        pools ? List.of(0) : cuts(architecture, model),
        pools
            ? Optional.of("models that are for embeddings or scores run whole only")
            : cannotSplit(architecture, model),
        architecture.map(known -> runsOn(known, model.layers())).orElse(Map.of()));
  }

  private static Optional<String> cannotSplit(
      Optional<Architecture> architecture, GgufModel model) {
    return architecture.isEmpty()
        ? Optional.of(
            "models of the architecture %s are not proved equal in stages and whole"
                .formatted(model.architecture()))
        : architecture.get().whyWhole(model);
  }

  private static List<Integer> cuts(Optional<Architecture> architecture, GgufModel model) {
    return architecture
        .map(known -> known.cuts(model))
        .orElseGet(() -> IntStream.range(0, model.layers()).boxed().toList());
  }

  private static Map<String, Set<Integer>> runsOn(Architecture architecture, int layers) {
    Set<Integer> onBundled =
        IntStream.rangeClosed(1, layers)
            .filter(architecture::runsOnB4916)
            .boxed()
            .collect(Collectors.toUnmodifiableSet());
    return Map.of(InstalledLibraries.BUNDLED, onBundled);
  }

  @Override
  public StageFile stage(Path file, int firstLayer, int endLayer) throws IOException {
    GgufModel model = open(file);
    StageCut cut = new StageCut(firstLayer, endLayer, model.layers());
    try {
      return stageFile(cut.recipe(model));
    } catch (GgufException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  @Override
  public StageFile lexicon(Path file) throws IOException {
    return stageFile(StageCut.lexicon(open(file)));
  }

  private static GgufModel open(Path file) throws IOException {
    try {
      return GgufModel.open(file);
    } catch (GgufException e) {
      throw new IOException(file + ": " + e.getMessage(), e);
    }
  }

  private static long bytes(GgufModel model, String tensor) {
    return model.file().tensor(tensor).map(TensorInfo::bytes).orElse(0L);
  }

  private static int feedForwardLength(GgufModel model) {
    return model.file().tensors().values().stream()
        .filter(tensor -> tensor.name().endsWith(".ffn_down.weight"))
        .mapToInt(tensor -> Math.toIntExact(tensor.dimensions().getFirst()))
        .max()
        .orElse(0);
  }

  private static List<ModelLayout.Layer> layers(GgufModel model) throws IOException {
    long[] weights = new long[model.layers()];
    for (TensorInfo tensor : model.file().tensors().values()) {
      if (tensor.name().startsWith("blk.")) {
        int layer = Integer.parseInt(tensor.name().substring(4, tensor.name().indexOf('.', 4)));
        weights[layer] += tensor.bytes();
      }
    }
    List<ModelLayout.Layer> layers = new ArrayList<>();
    for (int layer = 0; layer < weights.length; layer++) {
      long head = width(model, "key", layer) + width(model, "value", layer);
      layers.add(
          new ModelLayout.Layer(
              weights[layer], model.keyValueHeads().get(layer) * head * F16_BYTES));
    }
    return layers;
  }

  /** Of a head's keys or values. */
  private static long width(GgufModel model, String kind, int layer) throws IOException {
    GgufFile file = model.file();
    int heads = Math.max(1, model.heads().get(layer));
    try {
      return file.integer(model.architecture() + ".attention." + kind + "_length")
          .orElse(model.embeddingLength() / heads);
    } catch (GgufException e) {
      throw new IOException(file.path() + ": " + e.getMessage(), e);
    }
  }

  private static StageFile stageFile(FileRecipe recipe) {
    return new StageFile(
        recipe.parts().stream()
            .<StageFile.Part>map(
                part ->
                    switch (part) {
                      case FileRecipe.Own own -> new StageFile.Own(own.bytes());
                      case FileRecipe.Range range ->
                          new StageFile.Piece(range.offset(), range.length());
                      case FileRecipe.Zeros zeros -> new StageFile.Zeros(zeros.length());
                    })
            .toList());
  }
}
