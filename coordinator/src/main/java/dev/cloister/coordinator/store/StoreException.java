package dev.cloister.coordinator.store;

import org.jspecify.annotations.Nullable;

/** The database cannot be used. The message is one sentence. */
public final class StoreException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  StoreException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
