package dev.cloister.identity.enrollment;

import org.jspecify.annotations.Nullable;

/** Joining or renewing did not work. The message is one sentence that says what to do. */
public final class EnrollmentException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Reason reason;

  /** What went wrong. */
  public enum Reason {
    /** The coordinator does not want this member: the token or the membership is not good. */
    REFUSED,
    /** Somebody else answers at the coordinator's address. */
    WRONG_COORDINATOR,
    /** Nobody answers, or not in time; trying again may help. */
    UNREACHABLE
  }

  EnrollmentException(Reason reason, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.reason = reason;
  }

  public Reason reason() {
    return reason;
  }
}
