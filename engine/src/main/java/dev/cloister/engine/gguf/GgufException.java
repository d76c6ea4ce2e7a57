package dev.cloister.engine.gguf;

import java.io.Serial;

/**
 * A file that is no usable GGUF model. The message is one sentence for the user that names the
 * field and the part of the file, without the file's own name: the caller knows it. Trying again
 * helps only with another file.
 */
public final class GgufException extends Exception {

  @Serial private static final long serialVersionUID = 1L;

  GgufException(String message) {
    super(message);
  }

  GgufException(String message, Throwable cause) {
    super(message, cause);
  }
}
