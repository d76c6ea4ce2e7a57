package dev.cloister.identity;

/**
 * A private file cannot be used as it is: others may read it, it is damaged, or its passphrase is
 * another one. The message is one sentence that names the file and what to do.
 */
public final class PrivateFileException extends RuntimeException {
  public PrivateFileException(String message) {
    super(message);
  }

  public PrivateFileException(String message, Throwable cause) {
    super(message, cause);
  }
}
