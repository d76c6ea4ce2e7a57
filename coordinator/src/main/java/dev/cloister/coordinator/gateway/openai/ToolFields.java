package dev.cloister.coordinator.gateway.openai;

import com.fasterxml.jackson.databind.JsonNode;
import dev.cloister.coordinator.inference.prompt.Tool;
import dev.cloister.coordinator.inference.prompt.ToolChoice;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The fields {@code tools} and {@code tool_choice} of a chat. */
final class ToolFields {
  private static final String CHOICES =
      "(expected: none, auto, required or {\"type\": \"function\", \"function\": {\"name\": ...}})";

  private ToolFields() {}

  static List<Tool> tools(Fields body) {
    List<Tool> tools = new ArrayList<>();
    for (Fields tool : body.objects("tools", "an object with type and function")) {
      requireFunction(tool);
      Fields function = tool.requiredObject("function");
      // Read for its type alone: what it says goes on inside the whole.
      var _ = function.string("description");
      var _ = function.object("parameters");
      tools.add(new Tool(function.requiredString("name"), tool.json()));
    }
    return tools;
  }

  static ToolChoice choice(Fields body) {
    @Nullable JsonNode choice = body.get("tool_choice");
    if (choice == null) {
      return new ToolChoice.Auto();
    }
    if (choice.isObject()) {
      Fields named = body.requiredObject("tool_choice");
      requireFunction(named);
      return new ToolChoice.Named(named.requiredObject("function").requiredString("name"));
    }
    return switch (choice.asText()) {
      case "auto" -> new ToolChoice.Auto();
      case "none" -> new ToolChoice.None();
      case "required" -> new ToolChoice.Required();
      default -> throw body.refused("tool_choice", "is unknown " + CHOICES);
    };
  }

  /** Functions are the only tools that run where the caller is. */
  static void requireFunction(Fields fields) {
    if (!fields.requiredString("type").equals("function")) {
      throw fields.refused("type", "is not supported (expected: function)");
    }
  }
}
