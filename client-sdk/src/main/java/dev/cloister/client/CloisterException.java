package dev.cloister.client;

import org.jspecify.annotations.Nullable;

/** A call did not work. The message is one sentence that says what to do. */
public final class CloisterException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Kind kind;

  /** What kind of failure it was. */
  public enum Kind {
    /** The request is wrong; repeating it is useless. */
    INVALID_REQUEST,
    /** What was named does not exist. */
    NOT_FOUND,
    /** The caller may not do this. */
    NOT_ALLOWED,
    /** The coordinator does not answer; trying again may help. */
    UNREACHABLE,
    /** No node can answer now; trying again may help. */
    NO_CAPACITY,
    /** It took too long; trying again may help. */
    TIMED_OUT,
    /** The node was lost in the middle of an answer; trying again may help. */
    NODE_LOST,
    /** A defect of Cloister. */
    INTERNAL
  }

  public CloisterException(Kind kind, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.kind = kind;
  }

  public Kind kind() {
    return kind;
  }
}
