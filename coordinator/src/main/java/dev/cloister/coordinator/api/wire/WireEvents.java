package dev.cloister.coordinator.api.wire;

import com.google.protobuf.UnsafeByteOperations;
import dev.cloister.coordinator.inference.GenerationEvent;
import dev.cloister.coordinator.inference.GenerationEvent.FailureCode;
import dev.cloister.coordinator.inference.GenerationEvent.FinishReason;
import dev.cloister.coordinator.inference.TokenLogprob;
import dev.cloister.proto.inference.v1.Failure;
import dev.cloister.proto.inference.v1.Finished;
import dev.cloister.proto.inference.v1.ReasoningDelta;
import dev.cloister.proto.inference.v1.Started;
import dev.cloister.proto.inference.v1.TextDelta;
import dev.cloister.proto.inference.v1.TokenProbability;
import dev.cloister.proto.inference.v1.ToolCallDelta;
import java.util.Optional;

/** Events of an answer, between the wire and the domain. */
public final class WireEvents {
  private WireEvents() {}

  public static dev.cloister.proto.inference.v1.GenerationEvent toWire(GenerationEvent event) {
    var wire = dev.cloister.proto.inference.v1.GenerationEvent.newBuilder();
    return switch (event) {
      case GenerationEvent.Started started ->
          wire.setStarted(
                  Started.newBuilder()
                      .setPromptTokens(started.promptTokens())
                      .setCachedPromptTokens(started.cachedPromptTokens())
                      .setNode(started.node()))
              .build();
      case GenerationEvent.TextDelta delta ->
          wire.setText(
                  TextDelta.newBuilder()
                      .setText(delta.text())
                      .addAllLogprobs(delta.logprobs().stream().map(WireEvents::toWire).toList()))
              .build();
      case GenerationEvent.ReasoningDelta delta ->
          wire.setReasoning(ReasoningDelta.newBuilder().setText(delta.text())).build();
      case GenerationEvent.ToolCallDelta delta ->
          wire.setToolCall(
                  ToolCallDelta.newBuilder()
                      .setIndex(delta.index())
                      .setId(delta.id())
                      .setName(delta.name())
                      .setArguments(delta.arguments()))
              .build();
      case GenerationEvent.Finished finished ->
          wire.setFinished(
                  Finished.newBuilder()
                      .setReason(toWire(finished.reason()))
                      .setUsage(
                          dev.cloister.proto.inference.v1.Usage.newBuilder()
                              .setPromptTokens(finished.usage().promptTokens())
                              .setCachedPromptTokens(finished.usage().cachedPromptTokens())
                              .setCompletionTokens(finished.usage().completionTokens())))
              .build();
      case GenerationEvent.Failed failed ->
          wire.setFailed(
                  Failure.newBuilder()
                      .setCode(toWire(failed.code()))
                      .setMessage(failed.message())
                      .setParameter(failed.parameter().orElse("")))
              .build();
    };
  }

  private static dev.cloister.proto.inference.v1.TokenLogprob toWire(TokenLogprob logprob) {
    return dev.cloister.proto.inference.v1.TokenLogprob.newBuilder()
        .setToken(toWire(logprob.token()))
        .addAllTop(logprob.top().stream().map(WireEvents::toWire).toList())
        .build();
  }

  private static TokenProbability toWire(TokenLogprob.Choice choice) {
    return TokenProbability.newBuilder()
        .setId(choice.id())
        .setText(UnsafeByteOperations.unsafeWrap(choice.bytes()))
        .setLogprob(choice.logprob())
        .build();
  }

  private static Finished.Reason toWire(FinishReason reason) {
    return switch (reason) {
      case STOP -> Finished.Reason.REASON_STOP;
      case LENGTH -> Finished.Reason.REASON_LENGTH;
      case TOOL_CALLS -> Finished.Reason.REASON_TOOL_CALLS;
      case CANCELLED -> Finished.Reason.REASON_CANCELLED;
    };
  }

  private static Failure.Code toWire(FailureCode code) {
    return switch (code) {
      case INVALID_REQUEST -> Failure.Code.CODE_INVALID_REQUEST;
      case CONTEXT_LENGTH_EXCEEDED -> Failure.Code.CODE_CONTEXT_LENGTH_EXCEEDED;
      case MODEL_NOT_FOUND -> Failure.Code.CODE_MODEL_NOT_FOUND;
      case NOT_ALLOWED -> Failure.Code.CODE_NOT_ALLOWED;
      case NO_CAPACITY, TOO_MANY_REQUESTS -> Failure.Code.CODE_NO_CAPACITY;
      case NODE_LOST -> Failure.Code.CODE_NODE_LOST;
      case INTERNAL -> Failure.Code.CODE_INTERNAL;
    };
  }

  /**
   * Empty for an event of a kind this version does not know.
   *
   * @param node name of the node it came from
   */
  public static Optional<GenerationEvent> fromWire(
      dev.cloister.proto.inference.v1.GenerationEvent wire, String node) {
    return switch (wire.getEventCase()) {
      case STARTED ->
          Optional.of(
              new GenerationEvent.Started(
                  wire.getStarted().getPromptTokens(),
                  wire.getStarted().getCachedPromptTokens(),
                  node));
      case TEXT ->
          Optional.of(
              new GenerationEvent.TextDelta(
                  wire.getText().getText(),
                  wire.getText().getLogprobsList().stream().map(WireEvents::fromWire).toList()));
      case REASONING ->
          Optional.of(new GenerationEvent.ReasoningDelta(wire.getReasoning().getText()));
      case TOOL_CALL ->
          Optional.of(
              new GenerationEvent.ToolCallDelta(
                  wire.getToolCall().getIndex(),
                  wire.getToolCall().getId(),
                  wire.getToolCall().getName(),
                  wire.getToolCall().getArguments()));
      case FINISHED ->
          Optional.of(
              new GenerationEvent.Finished(
                  fromWire(wire.getFinished().getReason()),
                  new GenerationEvent.Usage(
                      wire.getFinished().getUsage().getPromptTokens(),
                      wire.getFinished().getUsage().getCachedPromptTokens(),
                      wire.getFinished().getUsage().getCompletionTokens())));
      case FAILED ->
          Optional.of(
              new GenerationEvent.Failed(
                  fromWire(wire.getFailed().getCode()),
                  wire.getFailed().getMessage(),
                  Optional.of(wire.getFailed().getParameter()).filter(name -> !name.isEmpty()),
                  Optional.empty()));
      case EVENT_NOT_SET -> Optional.empty();
    };
  }

  private static TokenLogprob fromWire(dev.cloister.proto.inference.v1.TokenLogprob wire) {
    return new TokenLogprob(
        fromWire(wire.getToken()), wire.getTopList().stream().map(WireEvents::fromWire).toList());
  }

  private static TokenLogprob.Choice fromWire(TokenProbability wire) {
    return new TokenLogprob.Choice(wire.getId(), wire.getText().toByteArray(), wire.getLogprob());
  }

  private static FinishReason fromWire(Finished.Reason reason) {
    return switch (reason) {
      case REASON_LENGTH -> FinishReason.LENGTH;
      case REASON_TOOL_CALLS -> FinishReason.TOOL_CALLS;
      case REASON_CANCELLED -> FinishReason.CANCELLED;
      case REASON_STOP, REASON_UNSPECIFIED, UNRECOGNIZED -> FinishReason.STOP;
    };
  }

  private static FailureCode fromWire(Failure.Code code) {
    return switch (code) {
      case CODE_INVALID_REQUEST -> FailureCode.INVALID_REQUEST;
      case CODE_CONTEXT_LENGTH_EXCEEDED -> FailureCode.CONTEXT_LENGTH_EXCEEDED;
      case CODE_MODEL_NOT_FOUND -> FailureCode.MODEL_NOT_FOUND;
      case CODE_NOT_ALLOWED -> FailureCode.NOT_ALLOWED;
      case CODE_NO_CAPACITY -> FailureCode.NO_CAPACITY;
      case CODE_NODE_LOST -> FailureCode.NODE_LOST;
      case CODE_INTERNAL, CODE_UNSPECIFIED, UNRECOGNIZED -> FailureCode.INTERNAL;
    };
  }
}
