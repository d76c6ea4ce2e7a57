package dev.cloister.coordinator.api;

import static org.awaitility.Awaitility.await;

import dev.cloister.proto.agent.v1.AgentMessage;
import dev.cloister.proto.agent.v1.AgentSessionServiceGrpc;
import dev.cloister.proto.agent.v1.CoordinatorMessage;
import dev.cloister.proto.agent.v1.GenerationUpdate;
import dev.cloister.proto.agent.v1.Hello;
import dev.cloister.proto.agent.v1.ModelStatus;
import dev.cloister.proto.inference.v1.GenerationEvent;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/** An agent's end of a session, message by message. */
final class AgentOnTheWire implements StreamObserver<CoordinatorMessage> {
  private final List<CoordinatorMessage> received = new CopyOnWriteArrayList<>();
  private final CompletableFuture<Status> end = new CompletableFuture<>();
  private final StreamObserver<AgentMessage> outgoing;

  AgentOnTheWire(Channel channel) {
    outgoing = AgentSessionServiceGrpc.newStub(channel).open(this);
  }

  static AgentMessage hello() {
    return AgentMessage.newBuilder().setHello(Hello.newBuilder().setAgentVersion("0.1.0")).build();
  }

  /** Says hello and waits for the welcome. */
  AgentOnTheWire open() {
    send(hello());
    await().until(() -> received.stream().anyMatch(CoordinatorMessage::hasWelcome));
    return this;
  }

  void send(AgentMessage message) {
    outgoing.onNext(message);
  }

  void sendReady(String model, int slots) {
    send(
        AgentMessage.newBuilder()
            .setModel(
                ModelStatus.newBuilder()
                    .setModel(model)
                    .setState(ModelStatus.State.STATE_READY)
                    .setSlots(slots)
                    .setFull(true)
                    .setGenerates(true))
            .build());
  }

  void sendEvent(String requestId, GenerationEvent event) {
    send(
        AgentMessage.newBuilder()
            .setGeneration(GenerationUpdate.newBuilder().setRequestId(requestId).setEvent(event))
            .build());
  }

  void goodbye() {
    outgoing.onCompleted();
  }

  List<CoordinatorMessage> received() {
    return received;
  }

  /** Waits for a generation to be started. */
  String started() {
    await().until(() -> start().isPresent());
    return start().orElseThrow();
  }

  private Optional<String> start() {
    return received.stream()
        .filter(CoordinatorMessage::hasStart)
        .map(message -> message.getStart().getRequestId())
        .findFirst();
  }

  boolean isOpen() {
    return !end.isDone();
  }

  /** Waits for the end of the session. */
  Status end() throws Exception {
    return end.get(10, TimeUnit.SECONDS);
  }

  @Override
  public void onNext(CoordinatorMessage message) {
    received.add(message);
  }

  @Override
  public void onError(Throwable broken) {
    end.complete(Status.fromThrowable(broken));
  }

  @Override
  public void onCompleted() {
    end.complete(Status.OK);
  }
}
