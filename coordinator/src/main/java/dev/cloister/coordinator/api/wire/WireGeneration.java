package dev.cloister.coordinator.api.wire;

import dev.cloister.coordinator.inference.Generation;
import dev.cloister.coordinator.inference.GenerationRequest;
import dev.cloister.coordinator.inference.InvalidGenerationException;
import dev.cloister.coordinator.inference.Sampling;
import dev.cloister.coordinator.inference.prompt.AnswerFormat;
import dev.cloister.coordinator.inference.prompt.ChatMessage;
import dev.cloister.coordinator.inference.prompt.Prompt;
import dev.cloister.coordinator.inference.prompt.Tool;
import dev.cloister.coordinator.inference.prompt.ToolCall;
import dev.cloister.coordinator.inference.prompt.ToolChoice;
import dev.cloister.proto.inference.v1.ChatPrompt;
import dev.cloister.proto.inference.v1.JsonObject;
import dev.cloister.proto.inference.v1.ToolChoice.Mode;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** What is asked of a model, between the wire and the domain. */
public final class WireGeneration {
  private WireGeneration() {}

  /** With what the node is to go on from. */
  public static dev.cloister.proto.inference.v1.Generation toWire(GenerationRequest request) {
    return toWire(request.generation()).toBuilder()
        .addAllResume(request.beginning().tokens())
        .setResumeEvents(request.beginning().toldEvents())
        .build();
  }

  public static dev.cloister.proto.inference.v1.Generation toWire(Generation generation) {
    var wire =
        dev.cloister.proto.inference.v1.Generation.newBuilder()
            .setSampling(toWire(generation.sampling()))
            .setMaxTokens(generation.maxTokens())
            .addAllStop(generation.stop());
    switch (generation.prompt()) {
      case Prompt.Text text -> wire.setText(text.text());
      case Prompt.Chat chat -> wire.setChat(toWire(chat));
    }
    switch (generation.format()) {
      case AnswerFormat.Text _ -> {}
      case AnswerFormat.JsonObject _ -> wire.setJsonObject(JsonObject.getDefaultInstance());
      case AnswerFormat.JsonSchema(String schema) -> wire.setJsonSchema(schema);
      case AnswerFormat.Grammar(String gbnf) -> wire.setGrammar(gbnf);
    }
    generation.topLogprobs().ifPresent(wire::setTopLogprobs);
    return wire.build();
  }

  private static ChatPrompt toWire(Prompt.Chat chat) {
    ChatPrompt.Builder wire = ChatPrompt.newBuilder().setToolChoice(toWire(chat.toolChoice()));
    for (ChatMessage message : chat.messages()) {
      var turn =
          wire.addMessagesBuilder()
              .setRole(toWire(message.role()))
              .setContent(message.content())
              .setToolCallId(message.toolCallId())
              .setName(message.name())
              .setReasoning(message.reasoning());
      for (ToolCall call : message.toolCalls()) {
        turn.addToolCallsBuilder()
            .setId(call.id())
            .setName(call.name())
            .setArguments(call.arguments());
      }
    }
    for (Tool tool : chat.tools()) {
      wire.addToolsBuilder().setName(tool.name()).setJson(tool.json());
    }
    return wire.build();
  }

  private static dev.cloister.proto.inference.v1.ToolChoice toWire(ToolChoice choice) {
    var wire = dev.cloister.proto.inference.v1.ToolChoice.newBuilder();
    return switch (choice) {
      case ToolChoice.Auto _ -> wire.build();
      case ToolChoice.None _ -> wire.setMode(Mode.MODE_NONE).build();
      case ToolChoice.Required _ -> wire.setMode(Mode.MODE_REQUIRED).build();
      case ToolChoice.Named(String name) -> wire.setMode(Mode.MODE_NAMED).setName(name).build();
    };
  }

  private static dev.cloister.proto.inference.v1.ChatMessage.Role toWire(ChatMessage.Role role) {
    return switch (role) {
      case SYSTEM -> dev.cloister.proto.inference.v1.ChatMessage.Role.ROLE_SYSTEM;
      case USER -> dev.cloister.proto.inference.v1.ChatMessage.Role.ROLE_USER;
      case ASSISTANT -> dev.cloister.proto.inference.v1.ChatMessage.Role.ROLE_ASSISTANT;
      case TOOL -> dev.cloister.proto.inference.v1.ChatMessage.Role.ROLE_TOOL;
    };
  }

  private static dev.cloister.proto.inference.v1.Sampling toWire(Sampling sampling) {
    var wire = dev.cloister.proto.inference.v1.Sampling.newBuilder();
    sampling.temperature().ifPresent(value -> wire.setTemperature((float) value));
    sampling.topP().ifPresent(value -> wire.setTopP((float) value));
    sampling.topK().ifPresent(wire::setTopK);
    sampling.minP().ifPresent(value -> wire.setMinP((float) value));
    sampling.typicalP().ifPresent(value -> wire.setTypicalP((float) value));
    sampling.seed().ifPresent(wire::setSeed);
    sampling.frequencyPenalty().ifPresent(value -> wire.setFrequencyPenalty((float) value));
    sampling.presencePenalty().ifPresent(value -> wire.setPresencePenalty((float) value));
    sampling.repeatPenalty().ifPresent(value -> wire.setRepeatPenalty((float) value));
    sampling.repeatLastN().ifPresent(wire::setRepeatLastN);
    sampling
        .logitBias()
        .forEach((token, bias) -> wire.addLogitBiasBuilder().setToken(token).setBias(bias));
    return wire.build();
  }

  /**
   * @throws InvalidGenerationException if it is no generation
   */
  public static Generation fromWire(dev.cloister.proto.inference.v1.Generation wire) {
    if (wire.getResumeCount() > 0 || wire.getResumeEvents() != 0) {
      throw new InvalidGenerationException(
          "resume",
          "resume has "
              + wire.getResumeCount()
              + " tokens (expected: none; only the coordinator has answers continued)");
    }
    Prompt prompt =
        switch (wire.getPromptCase()) {
          case CHAT -> fromWire(wire.getChat());
          case TEXT -> new Prompt.Text(wire.getText());
          case PROMPT_NOT_SET ->
              throw new InvalidGenerationException("prompt", "the request has no prompt");
        };
    AnswerFormat format =
        switch (wire.getFormatCase()) {
          case JSON_OBJECT -> new AnswerFormat.JsonObject();
          case JSON_SCHEMA -> new AnswerFormat.JsonSchema(wire.getJsonSchema());
          case GRAMMAR -> new AnswerFormat.Grammar(wire.getGrammar());
          case FORMAT_NOT_SET -> new AnswerFormat.Text();
        };
    return new Generation(
        prompt,
        fromWire(wire.getSampling()),
        wire.getMaxTokens(),
        wire.getStopList(),
        format,
        optional(wire.hasTopLogprobs(), wire.getTopLogprobs()));
  }

  private static Prompt.Chat fromWire(ChatPrompt wire) {
    return new Prompt.Chat(
        wire.getMessagesList().stream().map(WireGeneration::fromWire).toList(),
        wire.getToolsList().stream().map(tool -> new Tool(tool.getName(), tool.getJson())).toList(),
        fromWire(wire.getToolChoice()));
  }

  private static ToolChoice fromWire(dev.cloister.proto.inference.v1.ToolChoice wire) {
    return switch (wire.getMode()) {
      case MODE_UNSPECIFIED -> new ToolChoice.Auto();
      case MODE_NONE -> new ToolChoice.None();
      case MODE_REQUIRED -> new ToolChoice.Required();
      case MODE_NAMED -> new ToolChoice.Named(wire.getName());
      case UNRECOGNIZED ->
          throw new InvalidGenerationException("tool_choice", "tool_choice has no known mode");
    };
  }

  private static ChatMessage fromWire(dev.cloister.proto.inference.v1.ChatMessage wire) {
    ChatMessage.Role role =
        switch (wire.getRole()) {
          case ROLE_SYSTEM -> ChatMessage.Role.SYSTEM;
          case ROLE_USER -> ChatMessage.Role.USER;
          case ROLE_ASSISTANT -> ChatMessage.Role.ASSISTANT;
          case ROLE_TOOL -> ChatMessage.Role.TOOL;
          case ROLE_UNSPECIFIED, UNRECOGNIZED ->
              throw new InvalidGenerationException("messages", "a message has no known role");
        };
    return new ChatMessage(
        role,
        wire.getContent(),
        wire.getToolCallsList().stream()
            .map(call -> new ToolCall(call.getId(), call.getName(), call.getArguments()))
            .toList(),
        wire.getToolCallId(),
        wire.getName(),
        wire.getReasoning());
  }

  private static Sampling fromWire(dev.cloister.proto.inference.v1.Sampling wire) {
    Map<Integer, Float> bias = new HashMap<>();
    wire.getLogitBiasList().forEach(each -> bias.put(each.getToken(), each.getBias()));
    return new Sampling(
        optional(wire.hasTemperature(), wire.getTemperature()),
        optional(wire.hasTopP(), wire.getTopP()),
        optional(wire.hasTopK(), wire.getTopK()),
        optional(wire.hasMinP(), wire.getMinP()),
        optional(wire.hasTypicalP(), wire.getTypicalP()),
        wire.hasSeed() ? OptionalLong.of(wire.getSeed()) : OptionalLong.empty(),
        optional(wire.hasFrequencyPenalty(), wire.getFrequencyPenalty()),
        optional(wire.hasPresencePenalty(), wire.getPresencePenalty()),
        optional(wire.hasRepeatPenalty(), wire.getRepeatPenalty()),
        optional(wire.hasRepeatLastN(), wire.getRepeatLastN()),
        bias);
  }

  private static OptionalDouble optional(boolean present, float value) {
    return present ? OptionalDouble.of(value) : OptionalDouble.empty();
  }

  private static OptionalInt optional(boolean present, int value) {
    return present ? OptionalInt.of(value) : OptionalInt.empty();
  }
}
