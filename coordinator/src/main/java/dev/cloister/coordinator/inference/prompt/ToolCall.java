package dev.cloister.coordinator.inference.prompt;

/**
 * A tool that a model called.
 *
 * @param id which an answer to the call names again
 * @param name of the tool
 * @param arguments a JSON object
 */
public record ToolCall(String id, String name, String arguments) {

  /** Without the arguments: this may reach a log. */
  @Override
  public String toString() {
    return "ToolCall[" + id + ", " + name + "]";
  }
}
