package dev.cloister.client;

/**
 * A complete answer.
 *
 * @param truncated whether the token limit or the end of the context cut it off
 * @param node name of the node that answered
 */
public record ChatResponse(
    String text, boolean truncated, int promptTokens, int completionTokens, String node) {
  /** Without the text: this may reach a log. */
  @Override
  public String toString() {
    return "ChatResponse[" + completionTokens + " tokens from " + node + "]";
  }
}
