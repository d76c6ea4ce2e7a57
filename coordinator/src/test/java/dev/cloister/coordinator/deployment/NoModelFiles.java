package dev.cloister.coordinator.deployment;

import dev.cloister.coordinator.catalog.ModelFiles;
import dev.cloister.coordinator.catalog.ModelLayout;
import dev.cloister.coordinator.catalog.StageFile;
import java.io.IOException;
import java.nio.file.Path;

/** Can read none. */
final class NoModelFiles implements ModelFiles {
  @Override
  public ModelLayout layout(Path file) throws IOException {
    throw new IOException(file + " holds no model");
  }

  @Override
  public StageFile stage(Path file, int firstLayer, int endLayer) throws IOException {
    throw new IOException(file + " holds no model");
  }

  @Override
  public StageFile lexicon(Path file) throws IOException {
    throw new IOException(file + " holds no model");
  }
}
