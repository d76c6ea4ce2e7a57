package dev.cloister.engine.server;

import dev.cloister.engine.generation.FailureCode;
import dev.cloister.engine.generation.FinishReason;
import dev.cloister.engine.generation.GenerationListener;
import dev.cloister.engine.generation.LoadedModel;
import dev.cloister.engine.generation.Usage;
import dev.cloister.proto.inference.v1.Failure;
import dev.cloister.proto.inference.v1.Finished;
import dev.cloister.proto.inference.v1.GenerationEvent;
import dev.cloister.proto.inference.v1.Started;
import dev.cloister.proto.inference.v1.TextDelta;
import io.grpc.stub.ServerCallStreamObserver;

/**
 * Sends one answer to its caller. While the caller does not read, {@link #text} blocks: nothing
 * piles up beyond gRPC's own window and the tokens that llama.cpp was allowed to generate.
 */
final class EventStream implements GenerationListener {

  private final ServerCallStreamObserver<GenerationEvent> call;

  EventStream(ServerCallStreamObserver<GenerationEvent> call) {
    this.call = call;
    call.setOnReadyHandler(this::wake);
  }

  /** Ends the generation as soon as its caller goes away. */
  void follow(LoadedModel.Running running) {
    call.setOnCancelHandler(
        () -> {
          running.cancel();
          wake();
        });
  }

  @Override
  public void started(int promptTokens) {
    send(
        GenerationEvent.newBuilder()
            .setStarted(Started.newBuilder().setPromptTokens(promptTokens))
            .build());
  }

  @Override
  public void text(String piece) {
    awaitReader();
    send(GenerationEvent.newBuilder().setText(TextDelta.newBuilder().setText(piece)).build());
  }

  @Override
  public void finished(FinishReason reason, Usage usage) {
    Finished.Reason wireReason =
        switch (reason) {
          case STOP -> Finished.Reason.REASON_STOP;
          case LENGTH -> Finished.Reason.REASON_LENGTH;
          case CANCELLED -> Finished.Reason.REASON_CANCELLED;
        };
    var wireUsage =
        dev.cloister.proto.inference.v1.Usage.newBuilder()
            .setPromptTokens(usage.promptTokens())
            .setCompletionTokens(usage.completionTokens());
    end(
        GenerationEvent.newBuilder()
            .setFinished(Finished.newBuilder().setReason(wireReason).setUsage(wireUsage))
            .build());
  }

  @Override
  public void failed(FailureCode code, String message) {
    Failure.Code wireCode =
        switch (code) {
          case INVALID_REQUEST -> Failure.Code.CODE_INVALID_REQUEST;
          case CONTEXT_LENGTH_EXCEEDED -> Failure.Code.CODE_CONTEXT_LENGTH_EXCEEDED;
          case NO_CAPACITY -> Failure.Code.CODE_NO_CAPACITY;
          case INTERNAL -> Failure.Code.CODE_INTERNAL;
        };
    end(
        GenerationEvent.newBuilder()
            .setFailed(Failure.newBuilder().setCode(wireCode).setMessage(message))
            .build());
  }

  private void end(GenerationEvent last) {
    send(last);
    if (!call.isCancelled()) {
      call.onCompleted();
    }
  }

  private void send(GenerationEvent event) {
    if (!call.isCancelled()) {
      call.onNext(event);
    }
  }

  private synchronized void awaitReader() {
    try {
      while (!call.isReady() && !call.isCancelled()) {
        wait();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized void wake() {
    notifyAll();
  }
}
