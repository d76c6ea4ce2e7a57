package dev.cloister.engine.server;

import com.google.protobuf.UnsafeByteOperations;
import dev.cloister.engine.generation.AnswerPart;
import dev.cloister.engine.generation.FinishReason;
import dev.cloister.engine.generation.GenerationListener;
import dev.cloister.engine.generation.LoadedModel;
import dev.cloister.engine.generation.RequestException;
import dev.cloister.engine.generation.TokenLogprob;
import dev.cloister.engine.generation.Usage;
import dev.cloister.proto.inference.v1.Failure;
import dev.cloister.proto.inference.v1.Finished;
import dev.cloister.proto.inference.v1.GenerationEvent;
import dev.cloister.proto.inference.v1.ReasoningDelta;
import dev.cloister.proto.inference.v1.Started;
import dev.cloister.proto.inference.v1.TextDelta;
import dev.cloister.proto.inference.v1.TokenProbability;
import dev.cloister.proto.inference.v1.ToolCallDelta;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.ArrayList;
import java.util.List;

/**
 * Sends one answer to its caller. While the caller does not read, the answer is not {@link #ready}:
 * nothing piles up beyond gRPC's own window.
 */
final class EventStream implements GenerationListener {

  private final ServerCallStreamObserver<GenerationEvent> call;

  /** Those that no event told yet. */
  private final List<Integer> tokens = new ArrayList<>();

  private volatile LoadedModel.Running running = () -> {};

  EventStream(ServerCallStreamObserver<GenerationEvent> call) {
    this.call = call;
    call.setOnReadyHandler(() -> running.resume());
    call.setOnCancelHandler(() -> running.cancel());
  }

  /** Ties the generation to its caller: it waits with it, and ends when it goes away. */
  void follow(LoadedModel.Running generation) {
    running = generation;
    // What happened before the line above was told to nobody.
    if (call.isCancelled()) {
      generation.cancel();
    } else if (call.isReady()) {
      generation.resume();
    }
  }

  @Override
  public void started(int promptTokens, int cachedTokens) {
    send(
        GenerationEvent.newBuilder()
            .setStarted(
                Started.newBuilder()
                    .setPromptTokens(promptTokens)
                    .setCachedPromptTokens(cachedTokens)));
  }

  @Override
  public boolean ready() {
    return call.isReady() || call.isCancelled();
  }

  @Override
  public void token(int token) {
    tokens.add(token);
  }

  @Override
  public void part(AnswerPart part) {
    GenerationEvent.Builder event = GenerationEvent.newBuilder();
    switch (part) {
      case AnswerPart.Text text -> event.setText(textDelta(text));
      case AnswerPart.Reasoning reasoning ->
          event.setReasoning(ReasoningDelta.newBuilder().setText(reasoning.text()));
      case AnswerPart.ToolCallPiece call ->
          event.setToolCall(
              ToolCallDelta.newBuilder()
                  .setIndex(call.index())
                  .setId(call.id())
                  .setName(call.name())
                  .setArguments(call.arguments()));
    }
    send(event);
  }

  private static TextDelta textDelta(AnswerPart.Text part) {
    TextDelta.Builder delta = TextDelta.newBuilder().setText(part.text());
    for (TokenLogprob logprob : part.logprobs()) {
      var wire =
          dev.cloister.proto.inference.v1.TokenLogprob.newBuilder()
              .setToken(probability(logprob.token()));
      logprob.top().forEach(choice -> wire.addTop(probability(choice)));
      delta.addLogprobs(wire);
    }
    return delta.build();
  }

  private static TokenProbability probability(TokenLogprob.Choice choice) {
    return TokenProbability.newBuilder()
        .setId(choice.id())
        .setText(UnsafeByteOperations.unsafeWrap(choice.text()))
        .setLogprob(choice.logprob())
        .build();
  }

  @Override
  public void finished(FinishReason reason, Usage usage) {
    Finished.Reason wireReason =
        switch (reason) {
          case STOP -> Finished.Reason.REASON_STOP;
          case LENGTH -> Finished.Reason.REASON_LENGTH;
          case TOOL_CALLS -> Finished.Reason.REASON_TOOL_CALLS;
          case CANCELLED -> Finished.Reason.REASON_CANCELLED;
        };
    var wireUsage =
        dev.cloister.proto.inference.v1.Usage.newBuilder()
            .setPromptTokens(usage.promptTokens())
            .setCachedPromptTokens(usage.cachedPromptTokens())
            .setCompletionTokens(usage.completionTokens());
    end(
        GenerationEvent.newBuilder()
            .setFinished(Finished.newBuilder().setReason(wireReason).setUsage(wireUsage)));
  }

  @Override
  public void failed(RequestException why) {
    Failure.Code wireCode =
        switch (why.code()) {
          case INVALID_REQUEST, UNSUPPORTED -> Failure.Code.CODE_INVALID_REQUEST;
          case CONTEXT_LENGTH_EXCEEDED -> Failure.Code.CODE_CONTEXT_LENGTH_EXCEEDED;
          case NO_CAPACITY -> Failure.Code.CODE_NO_CAPACITY;
          case STAGE_LOST -> Failure.Code.CODE_NODE_LOST;
          case INTERNAL -> Failure.Code.CODE_INTERNAL;
        };
    end(
        GenerationEvent.newBuilder()
            .setFailed(
                Failure.newBuilder()
                    .setCode(wireCode)
                    .setMessage(why.getMessage())
                    .setParameter(why.parameter())));
  }

  private void end(GenerationEvent.Builder last) {
    send(last);
    if (!call.isCancelled()) {
      call.onCompleted();
    }
  }

  private void send(GenerationEvent.Builder event) {
    event.addAllTokens(tokens);
    tokens.clear();
    if (!call.isCancelled()) {
      call.onNext(event.build());
    }
  }
}
