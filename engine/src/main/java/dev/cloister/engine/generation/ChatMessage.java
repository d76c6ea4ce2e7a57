package dev.cloister.engine.generation;

/**
 * One message of a conversation. Its text form names the role and the length, never the content.
 */
public record ChatMessage(Role role, String content) {

  /** Who speaks. */
  public enum Role {
    SYSTEM,
    USER,
    ASSISTANT,
    TOOL
  }

  @Override
  public String toString() {
    return "ChatMessage[role=" + role + ", length=" + content.length() + "]";
  }
}
