package dev.cloister.client;

/**
 * A tool that a model may call. The program runs it, and tells the model what came of it with
 * {@link ChatMessage#toolResult}.
 *
 * @param name unique in a request; 1 to 64 letters, digits, '_' and '-'
 * @param description what it does, for the model
 * @param parameters a JSON Schema of the object that a call passes, for example {@code {"type":
 *     "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}; goes to the
 *     model as it is
 */
public record Tool(String name, String description, String parameters) {
  private static final String NO_PARAMETERS = "{\"type\": \"object\", \"properties\": {}}";

  public Tool {
    if (name.isEmpty()) {
      throw new IllegalArgumentException("name of a tool: empty (expected: some name)");
    }
    if (parameters.isBlank()) {
      throw new IllegalArgumentException("parameters of a tool: empty (expected: a JSON Schema)");
    }
  }

  /** A tool that takes no parameters. */
  public static Tool of(String name, String description) {
    return new Tool(name, description, NO_PARAMETERS);
  }

  /**
   * A tool.
   *
   * @param parameters a JSON Schema
   */
  public static Tool of(String name, String description, String parameters) {
    return new Tool(name, description, parameters);
  }

  /** Without description and parameters: this may reach a log. */
  @Override
  public String toString() {
    return "Tool[" + name + "]";
  }
}
