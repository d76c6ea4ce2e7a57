package dev.cloister.engine.generation.prompt;

/**
 * A tool that a model called.
 *
 * @param arguments a JSON object, as the model wrote it
 */
public record ToolCall(String id, String name, String arguments) {

  /** Without the arguments: this may reach a log. */
  @Override
  public String toString() {
    return "ToolCall[id=%s, name=%s]".formatted(id, name);
  }
}
