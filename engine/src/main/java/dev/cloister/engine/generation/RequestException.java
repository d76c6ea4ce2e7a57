package dev.cloister.engine.generation;

import java.util.Objects;

/** A request cannot be answered; the message is one sentence for the caller. */
public final class RequestException extends Exception {
  private static final long serialVersionUID = 1L;

  private final FailureCode code;

  public RequestException(FailureCode code, String message) {
    super(message);
    this.code = code;
  }

  /** What kind of failure it is. */
  public FailureCode code() {
    return code;
  }

  @Override
  public String getMessage() {
    return Objects.requireNonNull(super.getMessage());
  }
}
