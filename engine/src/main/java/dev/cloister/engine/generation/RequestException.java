package dev.cloister.engine.generation;

import java.util.Objects;

/** A request cannot be answered; the message is one sentence for the caller. */
public final class RequestException extends Exception {
  private static final long serialVersionUID = 1L;

  private final FailureCode code;
  private final String parameter;

  /** One of which it is not known what is wrong, or nothing is. */
  public RequestException(FailureCode code, String message) {
    this(code, "", message);
  }

  /**
   * One that is wrong.
   *
   * @param parameter that is wrong: {@code prompt}, or as OpenAI's API names it
   */
  public RequestException(FailureCode code, String parameter, String message) {
    super(message);
    this.code = code;
    this.parameter = parameter;
  }

  /** What kind of failure it is. */
  public FailureCode code() {
    return code;
  }

  /** Which parameter of the request is wrong; empty where that is not known, or none is. */
  public String parameter() {
    return parameter;
  }

  @Override
  public String getMessage() {
    return Objects.requireNonNull(super.getMessage());
  }
}
