package dev.cloister.engine.chat.parsing;

/** Whether a model thinks between {@code <think>} and {@code </think>} before it answers. */
public enum ReasoningSyntax {
  /** It does not; such tags are text. */
  NONE,

  /** It may, at the beginning of its answer. */
  TAGGED,

  /** It does, and the prompt has the opening tag already. */
  OPENED;

  static final String START = "<think>";
  static final String END = "</think>";

  /**
   * What a model does with this prompt.
   *
   * @param template the Jinja text of its chat template
   * @param prompt what the template made of the messages
   */
  public static ReasoningSyntax of(String template, String prompt) {
    if (!template.contains(END) && !template.contains(START)) {
      return NONE;
    }
    return prompt.stripTrailing().endsWith(START) ? OPENED : TAGGED;
  }
}
