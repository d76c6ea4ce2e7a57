package dev.cloister.coordinator.fakes;

import dev.cloister.coordinator.catalog.ModelFiles;
import dev.cloister.coordinator.catalog.ModelLayout;
import dev.cloister.coordinator.catalog.StageFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Takes any file for a model whose four layers are a quarter of it each. */
public final class FakeModelFiles implements ModelFiles {
  private static final int LAYERS = 4;

  @Override
  public ModelLayout layout(Path file) throws IOException {
    return new ModelLayout(
        "llama",
        512,
        64,
        128,
        4,
        512,
        0,
        0,
        false,
        Collections.nCopies(LAYERS, new ModelLayout.Layer(Files.size(file) / LAYERS, 256)),
        List.of(0, 1, 2, 3),
        Optional.empty(),
        Map.of());
  }

  @Override
  public StageFile stage(Path file, int firstLayer, int endLayer) throws IOException {
    if (firstLayer < 0 || firstLayer >= endLayer || endLayer > LAYERS) {
      throw new IllegalArgumentException("layers: %d to %d".formatted(firstLayer, endLayer));
    }
    long layer = Files.size(file) / LAYERS;
    return new StageFile(
        List.of(
            new StageFile.Own("header".getBytes(StandardCharsets.UTF_8)),
            new StageFile.Piece(firstLayer * layer, (endLayer - firstLayer) * layer),
            new StageFile.Zeros(26)));
  }

  @Override
  public StageFile lexicon(Path file) throws IOException {
    return new StageFile(List.of(new StageFile.Piece(0, Math.min(10, Files.size(file)))));
  }
}
