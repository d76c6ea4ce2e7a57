package dev.cloister.identity;

/** A name or a certificate is not that of a member; the message is one sentence that says why. */
public final class InvalidIdentityException extends RuntimeException {
  public InvalidIdentityException(String message) {
    super(message);
  }

  public InvalidIdentityException(String message, Throwable cause) {
    super(message, cause);
  }
}
