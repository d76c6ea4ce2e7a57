package dev.cloister.agent.modelstore;

import java.io.IOException;
import java.nio.file.Path;
import java.util.function.DoubleConsumer;

/** Keeps files with some layers of a model each. Thread-safe. */
public interface StageStore {
  /**
   * The file with a model's layers from {@code firstLayer} to before {@code endLayer}; fetched if
   * it is not here yet. It stays until it is released as often as it was obtained.
   *
   * @param modelSha256 of the whole model's file: 64 lower-case hexadecimal digits
   * @param progress is told how much is here, 0 to 1, if it has to be fetched
   * @throws IOException if it cannot be fetched now, or the thread was interrupted; the message is
   *     one sentence
   */
  Path obtain(String modelSha256, int firstLayer, int endLayer, DoubleConsumer progress)
      throws IOException;

  /** The file with the model's tokenizer and the embedding of its tokens; as {@link #obtain}. */
  Path lexicon(String modelSha256, DoubleConsumer progress) throws IOException;

  /** Says that a file is not in use any more: it may be removed when the space is wanted. */
  void release(Path file);
}
