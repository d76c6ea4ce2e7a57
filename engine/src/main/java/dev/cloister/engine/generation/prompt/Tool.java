package dev.cloister.engine.generation.prompt;

/**
 * A tool that a model may call.
 *
 * @param name not empty
 * @param json the whole definition as the caller wrote it: {@code {"type": "function", "function":
 *     {"name": ..., "parameters": {...}}}}
 */
public record Tool(String name, String json) {

  public Tool {
    if (name.isBlank()) {
      throw new IllegalArgumentException("name of a tool is empty (expected: some name)");
    }
  }

  /** Without the definition: this may reach a log. */
  @Override
  public String toString() {
    return "Tool[" + name + "]";
  }
}
