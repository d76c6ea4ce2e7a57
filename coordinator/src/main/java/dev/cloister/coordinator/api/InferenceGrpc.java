package dev.cloister.coordinator.api;

import dev.cloister.coordinator.api.wire.WireEvents;
import dev.cloister.coordinator.api.wire.WireGeneration;
import dev.cloister.coordinator.inference.Generation;
import dev.cloister.coordinator.inference.GenerationEvent.Failed;
import dev.cloister.coordinator.inference.GenerationEvent.Finished;
import dev.cloister.coordinator.inference.GenerationRequest;
import dev.cloister.coordinator.inference.InvalidGenerationException;
import dev.cloister.coordinator.inference.Tenant;
import dev.cloister.coordinator.routing.ActiveRequest;
import dev.cloister.coordinator.routing.Dispatcher;
import dev.cloister.coordinator.routing.RequestId;
import dev.cloister.proto.inference.v1.GenerateRequest;
import dev.cloister.proto.inference.v1.GenerationEvent;
import dev.cloister.proto.inference.v1.InferenceServiceGrpc.InferenceServiceImplBase;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Generation for clients that speak gRPC. */
final class InferenceGrpc extends InferenceServiceImplBase {
  private final Dispatcher dispatcher;

  InferenceGrpc(Dispatcher dispatcher) {
    this.dispatcher = dispatcher;
  }

  @Override
  public void generate(GenerateRequest request, StreamObserver<GenerationEvent> observer) {
    var reply = (ServerCallStreamObserver<GenerationEvent>) observer;
    AtomicReference<@Nullable ActiveRequest> active = new AtomicReference<>();
    reply.setOnCancelHandler(
        () -> {
          @Nullable ActiveRequest started = active.get();
          if (started != null) {
            started.cancel();
          }
        });
    Generation generation;
    try {
      generation = WireGeneration.fromWire(request.getGeneration());
    } catch (InvalidGenerationException e) {
      send(reply, Failed.invalid(e.parameter(), e.getMessage()));
      return;
    }
    ActiveRequest submitted =
        dispatcher.submit(
            new GenerationRequest(
                RequestId.next(),
                request.getModel(),
                Tenant.ofMember(AccessInterceptor.caller().memberId()),
                generation),
            event -> send(reply, event));
    active.set(submitted);
    if (reply.isCancelled()) {
      submitted.cancel();
    }
  }

  private static void send(
      ServerCallStreamObserver<GenerationEvent> reply,
      dev.cloister.coordinator.inference.GenerationEvent event) {
    synchronized (reply) {
      reply.onNext(WireEvents.toWire(event));
      if (event instanceof Finished || event instanceof Failed) {
        reply.onCompleted();
      }
    }
  }
}
