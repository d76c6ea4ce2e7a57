package dev.cloister.agent.supervisor;

import dev.cloister.agent.modelstore.ModelStore;
import dev.cloister.agent.modelstore.StageStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.DoubleConsumer;

/**
 * What an engine loads, held in its store until this is closed.
 *
 * @param model the whole model, or a stage's layers
 * @param lexicon of a first stage
 */
record EngineFiles(Path model, Optional<Path> lexicon, Runnable release) implements AutoCloseable {

  /**
   * Fetches what is not here yet.
   *
   * @param progress 0 to 1, for each file
   * @throws IOException if a file cannot be fetched now, or the thread was interrupted
   */
  static EngineFiles obtain(
      ModelSpec spec, ModelStore models, StageStore stages, DoubleConsumer progress)
      throws IOException {
    if (spec.stage().isEmpty()) {
      Path file = models.obtain(spec.sha256(), spec.sizeBytes(), progress);
      return new EngineFiles(file, Optional.empty(), () -> {});
    }
    StageSpec stage = spec.stage().get();
    Path layers = stages.obtain(spec.sha256(), stage.firstLayer(), stage.endLayer(), progress);
    if (stage.place() != StageSpec.Place.FIRST) {
      return new EngineFiles(layers, Optional.empty(), () -> stages.release(layers));
    }
    try {
      Path lexicon = stages.lexicon(spec.sha256(), progress);
      return new EngineFiles(
          layers,
          Optional.of(lexicon),
          () -> {
            stages.release(layers);
            stages.release(lexicon);
          });
    } catch (IOException | RuntimeException e) {
      stages.release(layers);
      throw e;
    }
  }

  @Override
  public void close() {
    release.run();
  }
}
