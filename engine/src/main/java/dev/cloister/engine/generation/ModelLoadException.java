package dev.cloister.engine.generation;

/** A model cannot be loaded; the message is one sentence that says why. */
public final class ModelLoadException extends Exception {

  public ModelLoadException(String message) {
    super(message);
  }

  public ModelLoadException(String message, Throwable cause) {
    super(message, cause);
  }
}
