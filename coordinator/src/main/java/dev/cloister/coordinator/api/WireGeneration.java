package dev.cloister.coordinator.api;

import dev.cloister.coordinator.inference.ChatMessage;
import dev.cloister.coordinator.inference.Generation;
import dev.cloister.coordinator.inference.GenerationEvent;
import dev.cloister.coordinator.inference.GenerationEvent.FailureCode;
import dev.cloister.coordinator.inference.GenerationEvent.FinishReason;
import dev.cloister.coordinator.inference.InvalidGenerationException;
import dev.cloister.coordinator.inference.Prompt;
import dev.cloister.coordinator.inference.Sampling;
import dev.cloister.proto.inference.v1.ChatPrompt;
import dev.cloister.proto.inference.v1.Failure;
import dev.cloister.proto.inference.v1.Finished;
import dev.cloister.proto.inference.v1.Started;
import dev.cloister.proto.inference.v1.TextDelta;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** Generations and their events, between the wire and the domain. */
final class Wire {
  private Wire() {}

  static dev.cloister.proto.inference.v1.Generation toWire(Generation generation) {
    var wire =
        dev.cloister.proto.inference.v1.Generation.newBuilder()
            .setSampling(toWire(generation.sampling()))
            .setMaxTokens(generation.maxTokens())
            .addAllStop(generation.stop());
    switch (generation.prompt()) {
      case Prompt.Text text -> wire.setText(text.text());
      case Prompt.Chat chat -> {
        ChatPrompt.Builder messages = ChatPrompt.newBuilder();
        for (ChatMessage message : chat.messages()) {
          messages
              .addMessagesBuilder()
              .setRole(toWire(message.role()))
              .setContent(message.content());
        }
        wire.setChat(messages);
      }
    }
    return wire.build();
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
    sampling.seed().ifPresent(wire::setSeed);
    sampling.frequencyPenalty().ifPresent(value -> wire.setFrequencyPenalty((float) value));
    sampling.presencePenalty().ifPresent(value -> wire.setPresencePenalty((float) value));
    return wire.build();
  }

  /**
   * @throws InvalidGenerationException if it is no generation
   */
  static Generation fromWire(dev.cloister.proto.inference.v1.Generation wire) {
    Prompt prompt =
        switch (wire.getPromptCase()) {
          case CHAT ->
              new Prompt.Chat(
                  wire.getChat().getMessagesList().stream().map(Wire::fromWire).toList());
          case TEXT -> new Prompt.Text(wire.getText());
          case PROMPT_NOT_SET ->
              throw new InvalidGenerationException("prompt", "the request has no prompt");
        };
    return new Generation(
        prompt, fromWire(wire.getSampling()), wire.getMaxTokens(), wire.getStopList());
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
    return new ChatMessage(role, wire.getContent());
  }

  private static Sampling fromWire(dev.cloister.proto.inference.v1.Sampling wire) {
    return new Sampling(
        optional(wire.hasTemperature(), wire.getTemperature()),
        optional(wire.hasTopP(), wire.getTopP()),
        wire.hasTopK() ? OptionalInt.of(wire.getTopK()) : OptionalInt.empty(),
        optional(wire.hasMinP(), wire.getMinP()),
        wire.hasSeed() ? OptionalLong.of(wire.getSeed()) : OptionalLong.empty(),
        optional(wire.hasFrequencyPenalty(), wire.getFrequencyPenalty()),
        optional(wire.hasPresencePenalty(), wire.getPresencePenalty()));
  }

  private static OptionalDouble optional(boolean present, float value) {
    return present ? OptionalDouble.of(value) : OptionalDouble.empty();
  }

  static dev.cloister.proto.inference.v1.GenerationEvent toWire(GenerationEvent event) {
    var wire = dev.cloister.proto.inference.v1.GenerationEvent.newBuilder();
    return switch (event) {
      case GenerationEvent.Started started ->
          wire.setStarted(
                  Started.newBuilder()
                      .setPromptTokens(started.promptTokens())
                      .setNode(started.node()))
              .build();
      case GenerationEvent.TextDelta delta ->
          wire.setText(TextDelta.newBuilder().setText(delta.text())).build();
      case GenerationEvent.Finished finished ->
          wire.setFinished(
                  Finished.newBuilder()
                      .setReason(toWire(finished.reason()))
                      .setUsage(
                          dev.cloister.proto.inference.v1.Usage.newBuilder()
                              .setPromptTokens(finished.usage().promptTokens())
                              .setCompletionTokens(finished.usage().completionTokens())))
              .build();
      case GenerationEvent.Failed failed ->
          wire.setFailed(
                  Failure.newBuilder().setCode(toWire(failed.code())).setMessage(failed.message()))
              .build();
    };
  }

  private static Finished.Reason toWire(FinishReason reason) {
    return switch (reason) {
      case STOP -> Finished.Reason.REASON_STOP;
      case LENGTH -> Finished.Reason.REASON_LENGTH;
      case CANCELLED -> Finished.Reason.REASON_CANCELLED;
    };
  }

  private static Failure.Code toWire(FailureCode code) {
    return switch (code) {
      case INVALID_REQUEST -> Failure.Code.CODE_INVALID_REQUEST;
      case CONTEXT_LENGTH_EXCEEDED -> Failure.Code.CODE_CONTEXT_LENGTH_EXCEEDED;
      case MODEL_NOT_FOUND -> Failure.Code.CODE_MODEL_NOT_FOUND;
      case NO_CAPACITY -> Failure.Code.CODE_NO_CAPACITY;
      case NODE_LOST -> Failure.Code.CODE_NODE_LOST;
      case INTERNAL -> Failure.Code.CODE_INTERNAL;
    };
  }

  /**
   * Empty for an event of a kind this version does not know.
   *
   * @param node name of the node it came from
   */
  static Optional<GenerationEvent> fromWire(
      dev.cloister.proto.inference.v1.GenerationEvent wire, String node) {
    return switch (wire.getEventCase()) {
      case STARTED ->
          Optional.of(new GenerationEvent.Started(wire.getStarted().getPromptTokens(), node));
      case TEXT -> Optional.of(new GenerationEvent.TextDelta(wire.getText().getText()));
      case FINISHED ->
          Optional.of(
              new GenerationEvent.Finished(
                  fromWire(wire.getFinished().getReason()),
                  new GenerationEvent.Usage(
                      wire.getFinished().getUsage().getPromptTokens(),
                      wire.getFinished().getUsage().getCompletionTokens())));
      case FAILED ->
          Optional.of(
              new GenerationEvent.Failed(
                  fromWire(wire.getFailed().getCode()), wire.getFailed().getMessage()));
      case EVENT_NOT_SET -> Optional.empty();
    };
  }

  private static FinishReason fromWire(Finished.Reason reason) {
    return switch (reason) {
      case REASON_LENGTH -> FinishReason.LENGTH;
      case REASON_CANCELLED -> FinishReason.CANCELLED;
      case REASON_STOP, REASON_UNSPECIFIED, UNRECOGNIZED -> FinishReason.STOP;
    };
  }

  private static FailureCode fromWire(Failure.Code code) {
    return switch (code) {
      case CODE_INVALID_REQUEST -> FailureCode.INVALID_REQUEST;
      case CODE_CONTEXT_LENGTH_EXCEEDED -> FailureCode.CONTEXT_LENGTH_EXCEEDED;
      case CODE_MODEL_NOT_FOUND -> FailureCode.MODEL_NOT_FOUND;
      case CODE_NO_CAPACITY -> FailureCode.NO_CAPACITY;
      case CODE_NODE_LOST -> FailureCode.NODE_LOST;
      case CODE_INTERNAL, CODE_UNSPECIFIED, UNRECOGNIZED -> FailureCode.INTERNAL;
    };
  }
}
