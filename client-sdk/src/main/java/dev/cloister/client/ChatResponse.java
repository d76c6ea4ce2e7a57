package dev.cloister.client;

import java.util.List;

/**
 * A complete answer.
 *
 * @param text what the model answers; empty where it calls tools instead
 * @param reasoning what it thought before; empty with models that do not tell
 * @param toolCalls what it called, in order
 * @param logprobs of each token of the text, if the request asked for them
 * @param promptTokens of the conversation, tools included
 * @param cachedPromptTokens those of them that the engine knew already
 * @param node name of the node that answered
 */
public record ChatResponse(
    String text,
    String reasoning,
    List<Tool.Call> toolCalls,
    List<TokenLogprob> logprobs,
    End end,
    int promptTokens,
    int cachedPromptTokens,
    int completionTokens,
    String node) {

  /** Why an answer ended. */
  public enum End {
    /** The model had said everything. */
    STOP,
    /** The token limit or the end of the context cut it off. */
    LENGTH,
    /** The model called tools and waits for what they say. */
    TOOL_CALLS
  }

  public ChatResponse {
    toolCalls = List.copyOf(toolCalls);
    logprobs = List.copyOf(logprobs);
  }

  /** Whether the token limit or the end of the context cut it off. */
  public boolean truncated() {
    return end == End.LENGTH;
  }

  /** The answer as a turn of the conversation, to go on from. */
  public ChatMessage message() {
    return new ChatMessage(ChatMessage.Role.ASSISTANT, text, toolCalls, "", "", reasoning);
  }

  /** Without the text: this may reach a log. */
  @Override
  public String toString() {
    return "ChatResponse[" + completionTokens + " tokens from " + node + "]";
  }
}
