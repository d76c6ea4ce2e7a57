package dev.cloister.engine.server;

import dev.cloister.engine.generation.ChatMessage;
import dev.cloister.engine.generation.Generation;
import dev.cloister.engine.generation.Prompt;
import dev.cloister.engine.generation.Sampling;
import dev.cloister.proto.inference.v1.ChatPrompt;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** Requests of the contract in the words of the domain. */
final class Requests {

  private Requests() {}

  /** Throws IllegalArgumentException with a sentence for the caller. */
  static Generation generation(dev.cloister.proto.inference.v1.Generation request) {
    return new Generation(
        prompt(request),
        sampling(request.getSampling()),
        clamped(request.getMaxTokens()),
        request.getStopList());
  }

  private static Prompt prompt(dev.cloister.proto.inference.v1.Generation request) {
    return switch (request.getPromptCase()) {
      case CHAT -> new Prompt.Chat(messages(request.getChat()));
      case TEXT -> new Prompt.Text(request.getText());
      case PROMPT_NOT_SET ->
          throw new IllegalArgumentException("prompt is missing (expected: chat or text)");
    };
  }

  private static List<ChatMessage> messages(ChatPrompt chat) {
    List<ChatMessage> messages = new ArrayList<>(chat.getMessagesCount());
    for (int i = 0; i < chat.getMessagesCount(); i++) {
      var message = chat.getMessages(i);
      ChatMessage.Role role =
          switch (message.getRole()) {
            case ROLE_SYSTEM -> ChatMessage.Role.SYSTEM;
            case ROLE_USER -> ChatMessage.Role.USER;
            case ROLE_ASSISTANT -> ChatMessage.Role.ASSISTANT;
            case ROLE_TOOL -> ChatMessage.Role.TOOL;
            case ROLE_UNSPECIFIED, UNRECOGNIZED ->
                throw new IllegalArgumentException(
                    "role of message %d: %d (expected: system, user, assistant or tool)"
                        .formatted(i + 1, message.getRoleValue()));
          };
      messages.add(new ChatMessage(role, message.getContent()));
    }
    return messages;
  }

  private static Sampling sampling(dev.cloister.proto.inference.v1.Sampling s) {
    return new Sampling(
        optional(s.hasTemperature(), s.getTemperature()),
        optional(s.hasTopP(), s.getTopP()),
        s.hasTopK() ? OptionalInt.of(clamped(s.getTopK())) : OptionalInt.empty(),
        optional(s.hasMinP(), s.getMinP()),
        s.hasSeed() ? OptionalLong.of(s.getSeed()) : OptionalLong.empty(),
        optional(s.hasFrequencyPenalty(), s.getFrequencyPenalty()),
        optional(s.hasPresencePenalty(), s.getPresencePenalty()));
  }

  private static OptionalDouble optional(boolean present, float value) {
    return present ? OptionalDouble.of(value) : OptionalDouble.empty();
  }

  /** Numbers of the contract are unsigned; what exceeds an int is more than any model has. */
  private static int clamped(int unsigned) {
    return unsigned < 0 ? Integer.MAX_VALUE : unsigned;
  }
}
