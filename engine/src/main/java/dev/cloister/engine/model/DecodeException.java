package dev.cloister.engine.model;

/** The native library could not compute a batch. A defect, or memory ran out. */
public final class DecodeException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public DecodeException(String message) {
    super(message);
  }
}
