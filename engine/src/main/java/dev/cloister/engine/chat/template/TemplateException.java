package dev.cloister.engine.chat.template;

/**
 * A chat template that cannot be parsed, or refuses or fails to render; the message is one sentence
 * for the caller. It may hold text of the template, and of the request where the template puts that
 * into its own refusal. Trying again with the same template and messages fails again.
 */
public final class TemplateException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  TemplateException(String message) {
    super(message);
  }

  /** What is wrong inside a template, before it is known where; it has no stack trace. */
  static final class Fault extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final boolean refusal;

    Fault(String message) {
      this(message, false);
    }

    private Fault(String message, boolean refusal) {
      super(message, null, false, false);
      this.refusal = refusal;
    }

    static Fault refusal(String message) {
      return new Fault(message, true);
    }

    /** True if the template raised it with words of its own. */
    boolean refusal() {
      return refusal;
    }
  }
}
