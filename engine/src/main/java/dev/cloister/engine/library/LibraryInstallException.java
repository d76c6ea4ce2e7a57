package dev.cloister.engine.library;

import org.jspecify.annotations.Nullable;

/** A library was not installed, and nothing of it was left behind. The message is one sentence. */
public final class LibraryInstallException extends Exception {
  private static final long serialVersionUID = 1L;

  /** What kind of failure it was. */
  public enum Reason {
    /** The registry does not answer, or not with the file; trying again may help. */
    UNREACHABLE,
    /** The registry stopped sending; trying again may help. */
    TIMED_OUT,
    /** The registry does not have the package. */
    NOT_FOUND,
    /** What came is not what is pinned, or is not fit to be unpacked. */
    REFUSED,
    /** The library cache cannot be written. */
    CACHE,
    /** The installer was closed or the thread interrupted. */
    INTERRUPTED
  }

  private final Reason reason;

  LibraryInstallException(Reason reason, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.reason = reason;
  }

  public Reason reason() {
    return reason;
  }
}
