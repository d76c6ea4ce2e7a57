package dev.cloister.engine.generation.prompt;

import java.util.List;

/**
 * One message of a conversation. Its text form names the role and the length, never the content.
 *
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
  }

  /** A message that is text alone. */
  public ChatMessage(Role role, String content) {
    this(role, content, List.of(), "", "", "");
  }

  @Override
  public String toString() {
    return "ChatMessage[role=" + role + ", length=" + content.length() + "]";
  }
}
