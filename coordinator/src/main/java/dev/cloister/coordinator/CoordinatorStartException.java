package dev.cloister.coordinator;

import org.jspecify.annotations.Nullable;

/** The coordinator cannot start. The message is one sentence that says what to do. */
public final class CoordinatorStartException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  CoordinatorStartException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
