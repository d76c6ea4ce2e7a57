package dev.cloister.engine.server;

import dev.cloister.engine.generation.Beginning;
import dev.cloister.engine.generation.Generation;
import dev.cloister.engine.generation.prompt.AnswerFormat;
import dev.cloister.engine.generation.prompt.ChatMessage;
import dev.cloister.engine.generation.prompt.Prompt;
import dev.cloister.engine.generation.prompt.Tool;
import dev.cloister.engine.generation.prompt.ToolCall;
import dev.cloister.engine.generation.prompt.ToolChoice;
import dev.cloister.proto.engine.v1.GenerateRequest;
import dev.cloister.proto.inference.v1.ChatPrompt;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** Requests of the contract in the words of the domain. */
final class Requests {

  private Requests() {}

  /** Throws IllegalArgumentException with a sentence for the caller. */
  static Generation generation(GenerateRequest request) {
    var generation = request.getGeneration();
    return new Generation(
        prompt(generation),
        SamplingWire.fromWire(generation.getSampling()),
        SamplingWire.clamped(generation.getMaxTokens()),
        generation.getStopList(),
        format(generation),
        generation.hasTopLogprobs()
            ? OptionalInt.of(SamplingWire.clamped(generation.getTopLogprobs()))
            : OptionalInt.empty(),
        request.getTenant(),
        new Beginning(
            generation.getResumeList(), SamplingWire.clamped(generation.getResumeEvents())),
        request.getMarksList());
  }

  private static Prompt prompt(dev.cloister.proto.inference.v1.Generation request) {
    return switch (request.getPromptCase()) {
      case CHAT -> chat(request.getChat());
      case TEXT -> new Prompt.Text(request.getText());
      case PROMPT_NOT_SET ->
          throw new IllegalArgumentException("prompt is missing (expected: chat or text)");
    };
  }

  private static Prompt.Chat chat(ChatPrompt chat) {
    List<Tool> tools =
        chat.getToolsList().stream().map(t -> new Tool(t.getName(), t.getJson())).toList();
    return new Prompt.Chat(messages(chat), tools, choice(chat.getToolChoice()));
  }

  private static ToolChoice choice(dev.cloister.proto.inference.v1.ToolChoice choice) {
    return switch (choice.getMode()) {
      case MODE_UNSPECIFIED -> new ToolChoice.Auto();
      case MODE_NONE -> new ToolChoice.None();
      case MODE_REQUIRED -> new ToolChoice.Required();
      case MODE_NAMED -> new ToolChoice.Named(choice.getName());
      case UNRECOGNIZED ->
          throw new IllegalArgumentException(
              "tool_choice: %d (expected: auto, none, required or a name)"
                  .formatted(choice.getModeValue()));
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
      List<ToolCall> calls =
          message.getToolCallsList().stream()
              .map(c -> new ToolCall(c.getId(), c.getName(), c.getArguments()))
              .toList();
      messages.add(
          new ChatMessage(
              role,
              message.getContent(),
              calls,
              message.getToolCallId(),
              message.getName(),
              message.getReasoning()));
    }
    return messages;
  }

  private static AnswerFormat format(dev.cloister.proto.inference.v1.Generation generation) {
    return switch (generation.getFormatCase()) {
      case JSON_OBJECT -> new AnswerFormat.JsonObject();
      case JSON_SCHEMA -> new AnswerFormat.JsonSchema(generation.getJsonSchema());
      case GRAMMAR -> new AnswerFormat.Grammar(generation.getGrammar());
      case FORMAT_NOT_SET -> new AnswerFormat.Text();
    };
  }
}
