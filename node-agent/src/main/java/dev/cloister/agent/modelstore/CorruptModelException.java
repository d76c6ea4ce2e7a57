package dev.cloister.agent.modelstore;

import java.io.IOException;

/** A model file whose bytes are not what its digest promises. */
public final class CorruptModelException extends IOException {
  private static final long serialVersionUID = 1L;

  CorruptModelException(String message) {
    super(message);
  }
}
