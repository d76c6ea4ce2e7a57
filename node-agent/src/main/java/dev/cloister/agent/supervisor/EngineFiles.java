package dev.cloister.agent.supervisor;

import dev.cloister.agent.modelstore.ModelStore;
import dev.cloister.agent.modelstore.StageStore;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
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
    if (stage.place() == StageSpec.Place.FIRST) {
      return obtainFirst(spec.sha256(), stage, stages, progress);
    }
    Path layers = stages.obtain(spec.sha256(), stage.firstLayer(), stage.endLayer(), progress);
    return new EngineFiles(layers, Optional.empty(), () -> stages.release(layers));
  }

  /** Both files at once: what there is to ask and to dial for one is as much as for the other. */
  private static EngineFiles obtainFirst(
      String sha256, StageSpec stage, StageStore stages, DoubleConsumer progress)
      throws IOException {
    CompletableFuture<Path> lexicon = new CompletableFuture<>();
    Thread beside =
        Thread.ofVirtual()
            .name("lexicon")
            .start(
                () -> {
                  try {
                    lexicon.complete(stages.lexicon(sha256, _ -> {}));
                  } catch (IOException | RuntimeException | Error e) {
                    lexicon.completeExceptionally(e);
                  }
                });
    Optional<Path> layers = Optional.empty();
    try {
      layers = Optional.of(stages.obtain(sha256, stage.firstLayer(), stage.endLayer(), progress));
      Path words = await(lexicon);
      Path file = layers.get();
      return new EngineFiles(
          file,
          Optional.of(words),
          () -> {
            stages.release(file);
            stages.release(words);
          });
    } catch (IOException | RuntimeException e) {
      beside.interrupt();
      var _ = lexicon.thenAccept(stages::release);
      layers.ifPresent(stages::release);
      throw e;
    }
  }

  private static Path await(CompletableFuture<Path> file) throws IOException {
    try {
      return file.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException known) {
        throw known;
      }
      throw new IllegalStateException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("the fetch was called off");
    }
  }

  @Override
  public void close() {
    release.run();
  }
}
