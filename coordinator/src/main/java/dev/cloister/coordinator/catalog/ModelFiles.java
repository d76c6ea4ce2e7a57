package dev.cloister.coordinator.catalog;

import java.io.IOException;
import java.nio.file.Path;

/** Reads the format that model files have. Thread-safe. */
public interface ModelFiles {
  /**
   * What a model consists of.
   *
   * @throws IOException if the file cannot be read or holds no model; the message is one sentence
   */
  ModelLayout layout(Path file) throws IOException;

  /**
   * The file of a stage with the layers from {@code firstLayer} to before {@code endLayer}; equal
   * for equal layers.
   *
   * @throws IllegalArgumentException if the model cannot be cut there; the message is one sentence
   * @throws IOException as with {@link #layout}
   */
  StageFile stage(Path file, int firstLayer, int endLayer) throws IOException;

  /**
   * The file with the tokenizer and the embedding of tokens.
   *
   * @throws IOException as with {@link #layout}
   */
  StageFile lexicon(Path file) throws IOException;
}
