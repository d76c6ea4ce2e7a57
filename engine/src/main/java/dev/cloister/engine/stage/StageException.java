package dev.cloister.engine.stage;

import java.util.Objects;

/** A frame that must not have been sent; the message is one sentence for whoever sent it. */
public final class StageException extends Exception {
  private static final long serialVersionUID = 1L;

  public StageException(String message) {
    super(message);
  }

  @Override
  public String getMessage() {
    return Objects.requireNonNull(super.getMessage());
  }
}
