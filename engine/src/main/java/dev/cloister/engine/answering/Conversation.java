package dev.cloister.engine.answering;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.cloister.engine.generation.prompt.ChatMessage;
import dev.cloister.engine.generation.prompt.Tool;
import dev.cloister.engine.generation.prompt.ToolCall;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A conversation as the values a chat template expects, named as Hugging Face names them: {@code
 * messages}, {@code tools}.
 */
final class Conversation {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(DeserializationFeature.USE_LONG_FOR_INTS);

  private Conversation() {}

  /**
   * The messages.
   *
   * @param defused makes text that people wrote safe to stand in a prompt
   */
  static List<Map<String, Object>> messages(
      List<ChatMessage> messages, UnaryOperator<String> defused) {
    List<Map<String, Object>> values = new ArrayList<>(messages.size());
    for (ChatMessage message : messages) {
      Map<String, Object> value = new LinkedHashMap<>();
      value.put("role", role(message.role()));
      value.put("content", defused.apply(message.content()));
      putUnlessEmpty(value, "reasoning_content", defused.apply(message.reasoning()));
      putUnlessEmpty(value, "name", defused.apply(message.name()));
      putUnlessEmpty(value, "tool_call_id", defused.apply(message.toolCallId()));
      if (!message.toolCalls().isEmpty()) {
        value.put(
            "tool_calls", message.toolCalls().stream().map(c -> toolCall(c, defused)).toList());
      }
      values.add(value);
    }
    return values;
  }

  private static void putUnlessEmpty(Map<String, Object> value, String name, String text) {
    if (!text.isEmpty()) {
      value.put(name, text);
    }
  }

  static String role(ChatMessage.Role role) {
    return switch (role) {
      case SYSTEM -> "system";
      case USER -> "user";
      case ASSISTANT -> "assistant";
      case TOOL -> "tool";
    };
  }

  private static Map<String, Object> toolCall(ToolCall call, UnaryOperator<String> defused) {
    Map<String, Object> function = new LinkedHashMap<>();
    function.put("name", defused.apply(call.name()));
    String arguments = defused.apply(call.arguments());
    Object parsed;
    try {
      parsed = JSON.readValue(arguments.isBlank() ? "{}" : arguments, Object.class);
    } catch (JsonProcessingException e) {
      // What a model once wrote, shown to it as it was.
      parsed = arguments;
    }
    function.put("arguments", parsed);
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("id", defused.apply(call.id()));
    value.put("type", "function");
    value.put("function", function);
    return value;
  }

  /**
   * The definitions of tools, keys in the order given.
   *
   * @throws IllegalArgumentException in one sentence, for a definition that is none
   */
  static List<Map<String, Object>> tools(List<Tool> tools, UnaryOperator<String> defused) {
    return tools.stream().map(tool -> definition(tool, defused)).toList();
  }

  private static Map<String, Object> definition(Tool tool, UnaryOperator<String> defused) {
    Map<String, Object> definition = object(defused.apply(tool.json()));
    if (definition == null
        || !(definition.get("function") instanceof Map<?, ?> function)
        || !tool.name().equals(function.get("name"))) {
      throw new IllegalArgumentException(
          "tool %s: its definition is no object with a function of that name (expected: {\"type\": \"function\", \"function\": {\"name\": ..., \"parameters\": {...}}})"
              .formatted(tool.name()));
    }
    return definition;
  }

  /** The JSON Schema of a tool's arguments; any object where it has none. */
  static String parameters(Tool tool) {
    Map<String, Object> definition = object(tool.json());
    Object schema =
        definition != null && definition.get("function") instanceof Map<?, ?> function
            ? function.get("parameters")
            : null;
    try {
      return schema == null ? "{\"type\":\"object\"}" : JSON.writeValueAsString(schema);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  @SuppressWarnings("unchecked") // JSON objects have text for keys.
  private static @Nullable Map<String, Object> object(String json) {
    try {
      return JSON.readValue(json, Object.class) instanceof Map<?, ?> map
          ? (Map<String, Object>) map
          : null;
    } catch (JsonProcessingException e) {
      return null;
    }
  }
}
