package dev.cloister.coordinator.inference.prompt;

import dev.cloister.coordinator.inference.InvalidGenerationException;
import java.util.List;

/**
 * One turn of a conversation.
 *
 * @param content may be empty where an assistant called tools
 * @param toolCalls what an assistant called
 * @param toolCallId with {@link Role#TOOL}, which call this answers; may be empty
 * @param name with {@link Role#TOOL}, the tool that answers; may be empty
 * @param reasoning what an assistant thought before it answered; may be empty
 */
public record ChatMessage(
    Role role,
    String content,
    List<ToolCall> toolCalls,
    String toolCallId,
    String name,
    String reasoning) {

  /** Who speaks. */
  public enum Role {
    SYSTEM,
    USER,
    ASSISTANT,
    TOOL
  }

  public ChatMessage {
    toolCalls = List.copyOf(toolCalls);
    if (!toolCalls.isEmpty() && role != Role.ASSISTANT) {
      throw new InvalidGenerationException(
          "messages", "a message with tool_calls has another role than assistant");
    }
  }

  /** A message that is text alone. */
  public ChatMessage(Role role, String content) {
    this(role, content, List.of(), "", "", "");
  }

  int characters() {
    return content.length()
        + reasoning.length()
        + toolCalls.stream().mapToInt(call -> call.arguments().length()).sum();
  }

  /** Without the content: this may reach a log. */
  @Override
  public String toString() {
    return "ChatMessage[" + role + ", " + content.length() + " characters]";
  }
}
