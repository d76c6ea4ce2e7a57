package dev.cloister.client;

import java.util.List;

/**
 * One turn of a conversation.
 *
 * @param toolCalls what an assistant called
 * @param toolCallId with {@link Role#TOOL}, which call this answers; else empty
 * @param name with {@link Role#TOOL}, the tool that answers; else empty
 * @param reasoning what an assistant thought before it answered; mostly empty
 */
public record ChatMessage(
    Role role,
    String content,
    List<Tool.Call> toolCalls,
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

  /** What the model is told first. */
  public static ChatMessage system(String content) {
    return new ChatMessage(Role.SYSTEM, content);
  }

  /** What a person says. */
  public static ChatMessage user(String content) {
    return new ChatMessage(Role.USER, content);
  }

  /**
   * What came of a tool that the model called.
   *
   * @param call one of {@link ChatResponse#toolCalls}
   * @param result for the model, often JSON
   */
  public static ChatMessage toolResult(Tool.Call call, String result) {
    return new ChatMessage(Role.TOOL, result, List.of(), call.id(), call.name(), "");
  }

  /** Without the content: this may reach a log. */
  @Override
  public String toString() {
    return "ChatMessage[" + role + ", " + content.length() + " characters]";
  }
}
