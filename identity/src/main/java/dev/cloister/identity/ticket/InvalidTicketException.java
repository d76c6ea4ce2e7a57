package dev.cloister.identity.ticket;

/** A ticket gives no right; the message is one sentence that says why. */
public final class InvalidTicketException extends RuntimeException {
  public InvalidTicketException(String message) {
    super(message);
  }

  public InvalidTicketException(String message, Throwable cause) {
    super(message, cause);
  }
}
