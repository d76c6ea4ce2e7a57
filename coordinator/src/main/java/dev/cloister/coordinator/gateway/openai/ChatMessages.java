package dev.cloister.coordinator.gateway.openai;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.cloister.coordinator.inference.prompt.ChatMessage;
import dev.cloister.coordinator.inference.prompt.ChatMessage.Role;
import dev.cloister.coordinator.inference.prompt.ToolCall;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The {@code messages} of a chat. */
final class ChatMessages {
  private ChatMessages() {}

  static List<ChatMessage> read(Fields body) {
    if (body.get("messages") == null) {
      throw body.refused("messages", "is missing (expected: an array of messages)");
    }
    Map<String, String> toolsByCall = new HashMap<>();
    List<ChatMessage> messages = new ArrayList<>();
    for (Fields message : body.objects("messages", "an object with role and content")) {
      Role role = role(message);
      List<ToolCall> calls = toolCalls(message);
      calls.forEach(call -> toolsByCall.put(call.id(), call.name()));
      String callId = role == Role.TOOL ? message.string("tool_call_id").orElse("") : "";
      messages.add(
          new ChatMessage(
              role,
              content(message, !calls.isEmpty()),
              calls,
              callId,
              // OpenAI's form has the id alone, and templates want the name.
              role == Role.TOOL
                  ? message.string("name").orElse(toolsByCall.getOrDefault(callId, ""))
                  : "",
              role == Role.ASSISTANT ? message.string("reasoning_content").orElse("") : ""));
    }
    return messages;
  }

  private static Role role(Fields message) {
    @Nullable JsonNode role = message.get("role");
    return switch (role == null ? "" : role.asText()) {
      case "system", "developer" -> Role.SYSTEM;
      case "user" -> Role.USER;
      case "assistant" -> Role.ASSISTANT;
      case "tool" -> Role.TOOL;
      default ->
          throw message.refused(
              "role", "is unknown (expected: system, developer, user, assistant or tool)");
    };
  }

  /**
   * A string, or an array of text parts.
   *
   * @param mayBeAbsent as beside the calls of tools
   */
  private static String content(Fields message, boolean mayBeAbsent) {
    @Nullable JsonNode content = message.get("content");
    if (content == null && mayBeAbsent) {
      return "";
    }
    if (content != null && content.isTextual()) {
      return content.textValue();
    }
    if (content == null || !content.isArray()) {
      throw message.refused("content", "is no text (expected: a string or an array of text parts)");
    }
    StringBuilder text = new StringBuilder();
    for (JsonNode part : content) {
      if (!"text".equals(part.path("type").asText()) || !part.path("text").isTextual()) {
        throw message.refused("content", "has a part that is no text; only text is supported");
      }
      text.append(part.path("text").textValue());
    }
    return text.toString();
  }

  private static List<ToolCall> toolCalls(Fields message) {
    List<ToolCall> calls = new ArrayList<>();
    for (Fields call : message.objects("tool_calls", "an object with id and function")) {
      ToolFields.requireFunction(call);
      Fields function = call.requiredObject("function");
      calls.add(
          new ToolCall(
              call.requiredString("id"), function.requiredString("name"), arguments(function)));
    }
    return calls;
  }

  /** Models and templates read them as an object; some clients send nothing for no arguments. */
  private static String arguments(Fields function) {
    String arguments = function.requiredString("arguments");
    if (arguments.isBlank()) {
      return "{}";
    }
    boolean object;
    try {
      object = Json.STRICT.readTree(arguments).isObject();
    } catch (JsonProcessingException e) {
      object = false;
    }
    if (!object) {
      throw function.refused("arguments", "is no JSON object in a string");
    }
    return arguments;
  }
}
