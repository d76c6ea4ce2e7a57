package dev.cloister.engine.server;

import dev.cloister.engine.generation.FailureCode;
import dev.cloister.engine.generation.Generation;
import dev.cloister.engine.generation.LoadedModel;
import dev.cloister.engine.generation.ModelFacts;
import dev.cloister.proto.engine.v1.EngineServiceGrpc;
import dev.cloister.proto.engine.v1.GenerateRequest;
import dev.cloister.proto.engine.v1.LoadFailure;
import dev.cloister.proto.engine.v1.Loading;
import dev.cloister.proto.engine.v1.ModelState;
import dev.cloister.proto.engine.v1.Ready;
import dev.cloister.proto.engine.v1.WatchModelRequest;
import dev.cloister.proto.inference.v1.GenerationEvent;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.CompletableFuture;

/** The calls of the contract, on a model that may still be loading. Never blocks its caller. */
final class EngineService extends EngineServiceGrpc.EngineServiceImplBase {

  private final CompletableFuture<LoadedModel> loading;

  /** A future that fails does so with one sentence as its exception's message. */
  EngineService(CompletableFuture<LoadedModel> loading) {
    this.loading = loading;
  }

  @Override
  public void watchModel(WatchModelRequest request, StreamObserver<ModelState> observer) {
    var call = (ServerCallStreamObserver<ModelState>) observer;
    // Without a handler, a watcher that went away would turn the news into an exception.
    call.setOnCancelHandler(() -> {});
    // java-llama.cpp does not tell how far it is.
    call.onNext(ModelState.newBuilder().setLoading(Loading.getDefaultInstance()).build());
    var _ =
        loading.whenComplete(
            (model, failure) -> {
              if (failure == null) {
                call.onNext(ready(model.facts()));
              } else {
                call.onNext(failed(String.valueOf(failure.getMessage())));
                call.onCompleted();
              }
            });
  }

  @Override
  public void generate(GenerateRequest request, StreamObserver<GenerationEvent> observer) {
    if (loading.state() != CompletableFuture.State.SUCCESS) {
      observer.onError(
          Status.UNAVAILABLE.withDescription("the model is not ready").asRuntimeException());
      return;
    }
    EventStream events = new EventStream((ServerCallStreamObserver<GenerationEvent>) observer);
    Generation generation;
    try {
      generation = Requests.generation(request.getGeneration());
    } catch (IllegalArgumentException e) {
      events.failed(FailureCode.INVALID_REQUEST, String.valueOf(e.getMessage()));
      return;
    }
    events.follow(loading.resultNow().generate(generation, events));
  }

  private static ModelState ready(ModelFacts facts) {
    return ModelState.newBuilder()
        .setReady(
            Ready.newBuilder()
                .setContextTokens(facts.contextTokens())
                .setSlots(facts.slots())
                .setEngine(facts.engine()))
        .build();
  }

  private static ModelState failed(String message) {
    return ModelState.newBuilder().setFailed(LoadFailure.newBuilder().setMessage(message)).build();
  }
}
