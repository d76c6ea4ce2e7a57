package dev.cloister.agent.modelstore;

import java.io.IOException;
import java.io.InputStream;

/** Where model files come from. Thread-safe. */
@FunctionalInterface
public interface ModelSource {
  /**
   * Opens the bytes of a model file from an offset to its end.
   *
   * @throws IOException if the source does not have it or does not answer; trying again may help
   */
  InputStream open(String sha256, long offset) throws IOException;
}
