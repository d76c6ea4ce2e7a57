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

  /**
   * A tool that a model called.
   *
   * @param id tells the calls of a conversation apart
   * @param name of the tool
   * @param arguments a JSON object that follows the tool's schema as well as the model could
   */
  public record Call(String id, String name, String arguments) {

    /** Without the arguments: this may reach a log. */
    @Override
    public String toString() {
      return "Tool.Call[" + id + ", " + name + "]";
    }
  }

  /** Whether and which tools a model calls. */
  public sealed interface Choice {

    /** The model decides. */
    record Auto() implements Choice {}

    /** It calls none, though it sees them. */
    record None() implements Choice {}

    /** It calls at least one. */
    record Required() implements Choice {}

    /** It calls this one. */
    record Named(String name) implements Choice {}

    /** The model decides. */
    static Choice auto() {
      return new Auto();
    }

    /** It calls none, though it sees them. */
    static Choice none() {
      return new None();
    }

    /** It calls at least one. */
    static Choice required() {
      return new Required();
    }

    /** It calls this one. */
    static Choice named(String name) {
      return new Named(name);
    }
  }
}
