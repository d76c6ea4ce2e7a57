package dev.cloister.engine.generation;

import java.util.List;

/** What the model is to continue. */
public sealed interface Prompt {

  /** A conversation, rendered with the model's own chat template; at least one message. */
  record Chat(List<ChatMessage> messages) implements Prompt {
    public Chat {
      messages = List.copyOf(messages);
      if (messages.isEmpty()) {
        throw new IllegalArgumentException("messages is empty (expected: at least one message)");
      }
    }
  }

  /** Text, given to the model as it is; not empty. */
  record Text(String text) implements Prompt {
    public Text {
      if (text.isEmpty()) {
        throw new IllegalArgumentException("text is empty (expected: at least one character)");
      }
    }

    @Override
    public String toString() {
      return "Text[length=" + text.length() + "]";
    }
  }
}
