package dev.cloister.engine.chat.parsing;

import java.util.Optional;

/** How a family of models writes the calls of tools. */
public enum ToolCallSyntax {
  /** {@code <tool_call>{"name": ..., "arguments": {...}}</tool_call>}: Hermes, Qwen 2.5 and 3. */
  HERMES("<tool_call>"),

  /** {@code {"name": ..., "parameters": {...}}} as the whole answer: Llama 3.1 and newer. */
  LLAMA3("<|python_tag|>"),

  /** {@code [TOOL_CALLS][{"name": ..., "arguments": {...}}]}: Mistral up to the v7 tokenizer. */
  MISTRAL("[TOOL_CALLS]"),

  /** {@code [TOOL_CALLS]name[ARGS]{...}}: Mistral from the v11 tokenizer on. */
  MISTRAL_NAMED("[TOOL_CALLS]");

  private final String marker;

  ToolCallSyntax(String marker) {
    this.marker = marker;
  }

  /** What announces a call anywhere in the answer. */
  String marker() {
    return marker;
  }

  /**
   * The syntax that a chat template asks for, found as llama.cpp's {@code common/chat.cpp} finds
   * it: by the markers in its text. Empty where the template has none of them, or writes calls in
   * another form within them (Qwen3-Coder's XML).
   *
   * @param template the Jinja text
   */
  public static Optional<ToolCallSyntax> of(String template) {
    if (template.contains("[TOOL_CALLS]")) {
      return Optional.of(template.contains("[ARGS]") ? MISTRAL_NAMED : MISTRAL);
    }
    if (template.contains("<tool_call>")) {
      return template.contains("<function=") ? Optional.empty() : Optional.of(HERMES);
    }
    return template.contains("<|start_header_id|>ipython<|end_header_id|>")
            || template.contains("<|python_tag|>")
        ? Optional.of(LLAMA3)
        : Optional.empty();
  }
}
