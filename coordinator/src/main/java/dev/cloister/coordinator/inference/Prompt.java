package dev.cloister.coordinator.inference;

import java.util.List;

/** What the model is to go on from. */
public sealed interface Prompt {

  /** UTF-16 units of all its text: the measure of a prompt that no tokenizer has seen yet. */
  int characters();

  /** A conversation, rendered with the model's own chat template. */
  record Chat(List<ChatMessage> messages) implements Prompt {
    public Chat {
      messages = List.copyOf(messages);
      if (messages.isEmpty()) {
        throw new InvalidGenerationException(
            "messages", "messages is empty (expected: at least one message)");
      }
    }

    @Override
    public int characters() {
      return messages.stream().mapToInt(message -> message.content().length()).sum();
    }
  }

  /** Text given to the model as it is. */
  record Text(String text) implements Prompt {
    public Text {
      if (text.isEmpty()) {
        throw new InvalidGenerationException("prompt", "prompt is empty");
      }
    }

    @Override
    public int characters() {
      return text.length();
    }
  }
}
