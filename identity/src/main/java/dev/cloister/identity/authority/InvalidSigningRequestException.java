package dev.cloister.identity.authority;

/** A signing request is refused; the message is one sentence that says why. */
public final class InvalidSigningRequestException extends RuntimeException {
  public InvalidSigningRequestException(String message) {
    super(message);
  }

  public InvalidSigningRequestException(String message, Throwable cause) {
    super(message, cause);
  }
}
