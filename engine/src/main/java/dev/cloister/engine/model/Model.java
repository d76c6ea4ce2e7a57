package dev.cloister.engine.model;

import dev.cloister.engine.generation.ModelLoadException;

/** A model's weights in memory. Thread-safe. */
public interface Model extends AutoCloseable {

  ModelProperties properties();

  /** Which of its layers these are. */
  StagePart part();

  /**
   * Its tokens.
   *
   * @throws IllegalStateException where neither text goes in nor tokens come out: {@link
   *     StagePart#MIDDLE}
   */
  Vocabulary vocabulary();

  /**
   * Makes room to compute in.
   *
   * @throws ModelLoadException in one sentence, for example when memory does not suffice
   */
  DecodeContext openContext(ContextOptions options) throws ModelLoadException;

  /** Frees the weights; every context must have been closed. */
  @Override
  void close();
}
