package dev.cloister.identity.token;

/** A text is not a join token; the message says why and which command makes a new one. */
public final class InvalidJoinTokenException extends RuntimeException {
  public InvalidJoinTokenException(String reason) {
    super("join token " + reason + "; create one with: cloister token create");
  }
}
