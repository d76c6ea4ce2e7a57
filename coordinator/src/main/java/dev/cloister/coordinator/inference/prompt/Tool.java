package dev.cloister.coordinator.inference.prompt;

import dev.cloister.coordinator.inference.InvalidGenerationException;
import java.util.regex.Pattern;

/**
 * A tool the model may call.
 *
 * @param name 1 to 64 letters, digits, '_' and '-', as OpenAI has it
 * @param json the whole definition with the caller's own order of keys, to which models are
 *     sensitive: {@code {"type": "function", "function": {"name": ..., "parameters": {...}}}}
 */
public record Tool(String name, String json) {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-]{1,64}");

  public Tool {
    if (!NAME.matcher(name).matches()) {
      throw new InvalidGenerationException(
          "tools", "the name of a tool is malformed (expected: 1 to 64 letters, digits, _ and -)");
    }
  }

  /** Without the definition: this may reach a log. */
  @Override
  public String toString() {
    return "Tool[" + name + "]";
  }
}
