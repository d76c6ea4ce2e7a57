package dev.cloister.client;

/**
 * A tool that a model called.
 *
 * @param id tells the calls of a conversation apart
 * @param name of the tool
 * @param arguments a JSON object that follows the tool's schema as well as the model could
 */
public record ToolCall(String id, String name, String arguments) {

  /** Without the arguments: this may reach a log. */
  @Override
  public String toString() {
    return "ToolCall[" + id + ", " + name + "]";
  }
}
