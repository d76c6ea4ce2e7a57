package dev.cloister.identity.tls;

import java.security.cert.CertificateException;
import org.jspecify.annotations.Nullable;

/**
 * The peer's root certificate is not the one a join token was made for: another cluster answers at
 * that address, or somebody in between. Nothing was sent to it.
 */
public final class PinMismatchException extends CertificateException {
  PinMismatchException() {
    super("the coordinator's root certificate is not the one the join token was made for");
  }

  /** Tells whether a failed connection failed for this reason, somewhere down its causes. */
  public static boolean isCauseOf(Throwable failure) {
    for (@Nullable Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof PinMismatchException) {
        return true;
      }
    }
    return false;
  }
}
