package dev.cloister.coordinator.api;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.cloister.coordinator.api.wire.WireEvents;
import dev.cloister.coordinator.api.wire.WireGeneration;
import dev.cloister.coordinator.api.wire.WireOptions;
import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.fleet.Assignment;
import dev.cloister.coordinator.fleet.Node;
import dev.cloister.coordinator.fleet.NodeSession;
import dev.cloister.coordinator.inference.EngineSink;
import dev.cloister.coordinator.inference.GenerationEvent;
import dev.cloister.coordinator.inference.GenerationEvent.Failed;
import dev.cloister.coordinator.inference.GenerationEvent.FailureCode;
import dev.cloister.coordinator.inference.GenerationEvent.Finished;
import dev.cloister.coordinator.inference.GenerationRequest;
import dev.cloister.identity.ticket.Neighbour;
import dev.cloister.identity.ticket.PlanTicket;
import dev.cloister.identity.ticket.TicketSigner;
import dev.cloister.proto.agent.v1.CancelGeneration;
import dev.cloister.proto.agent.v1.ConnectStage;
import dev.cloister.proto.agent.v1.CoordinatorMessage;
import dev.cloister.proto.agent.v1.DropModel;
import dev.cloister.proto.agent.v1.GenerationUpdate;
import dev.cloister.proto.agent.v1.MeasureLink;
import dev.cloister.proto.agent.v1.ServeModel;
import dev.cloister.proto.agent.v1.StartGeneration;
import dev.cloister.proto.peer.v1.SignedTicket;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * An agent's session on its gRPC stream. Thread-safe: many requests write to the stream, one lock
 * keeps their messages whole; no sink is called while it is held.
 */
final class GrpcNodeSession implements NodeSession {
  private final Node node;
  private final ServerCallStreamObserver<CoordinatorMessage> outgoing;
  private final TicketSigner signer;
  private final Map<String, EngineSink> running = new ConcurrentHashMap<>();
  private final Object lock = new Object();
  private boolean closed;

  GrpcNodeSession(
      Node node, ServerCallStreamObserver<CoordinatorMessage> outgoing, TicketSigner signer) {
    this.node = node;
    this.outgoing = outgoing;
    this.signer = signer;
    // Without a handler, writing to a broken stream throws.
    outgoing.setOnCancelHandler(() -> {});
  }

  @Override
  public void serve(Assignment assignment) {
    Model model = assignment.model();
    ServeModel.Builder serve =
        ServeModel.newBuilder()
            .setModel(model.name())
            .setSha256(model.sha256())
            .setSizeBytes(model.sizeBytes())
            .setContextTokens(assignment.contextTokens())
            .setSlots(assignment.slots())
            .setMemoryBytes(assignment.memoryBytes())
            .setRestricted(!model.required().isEmpty())
            .setOptions(WireOptions.engine(model.options()));
    assignment.gpuLayers().ifPresent(serve.getOptionsBuilder()::setGpuLayers);
    assignment
        .stage()
        .ifPresent(
            stage ->
                serve
                    .getStageBuilder()
                    .setPlan(stage.plan())
                    .setIndex(stage.index())
                    .setCount(stage.count())
                    .setFirstLayer(stage.firstLayer())
                    .setEndLayer(stage.endLayer())
                    .setShelfBytes(stage.shelfBytes()));
    send(CoordinatorMessage.newBuilder().setServe(serve).build());
  }

  @Override
  public void drop(String model) {
    send(CoordinatorMessage.newBuilder().setDrop(DropModel.newBuilder().setModel(model)).build());
  }

  @Override
  public void connect(String model, PlanTicket ticket) {
    SignedTicket signed;
    try {
      signed = SignedTicket.parseFrom(signer.sign(ticket));
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("a ticket just signed cannot be read", e);
    }
    send(
        CoordinatorMessage.newBuilder()
            .setConnect(ConnectStage.newBuilder().setModel(model).setTicket(signed))
            .build());
  }

  @Override
  public void measure(Neighbour node, int payloadBytes) {
    MeasureLink.Builder measure = MeasureLink.newBuilder().setPayloadBytes(payloadBytes);
    measure
        .getNodeBuilder()
        .setNodeId(node.nodeId())
        .setAddress(node.address())
        .addAllKeyHashes(
            node.keys().stream().map(key -> ByteString.copyFrom(key.bytes())).toList());
    send(CoordinatorMessage.newBuilder().setMeasure(measure).build());
  }

  @Override
  public void measureToCoordinator(int payloadBytes) {
    send(
        CoordinatorMessage.newBuilder()
            .setMeasure(MeasureLink.newBuilder().setPayloadBytes(payloadBytes))
            .build());
  }

  @Override
  public boolean isAnswering() {
    return !running.isEmpty();
  }

  @Override
  public void start(GenerationRequest request, EngineSink sink) {
    CoordinatorMessage message =
        CoordinatorMessage.newBuilder()
            .setStart(
                StartGeneration.newBuilder()
                    .setRequestId(request.id())
                    .setModel(request.model())
                    .setTenant(request.tenant().name())
                    .addAllMarks(request.marks())
                    .setGeneration(WireGeneration.toWire(request)))
            .build();
    boolean sent;
    // Together, so that a cancellation is either before both or behind both.
    synchronized (lock) {
      running.put(request.id(), sink);
      sent = send(message);
    }
    if (!sent && running.remove(request.id()) != null) {
      sink.accept(lost(), List.of());
    }
  }

  @Override
  public void cancel(String requestId) {
    synchronized (lock) {
      if (running.remove(requestId) != null) {
        send(
            CoordinatorMessage.newBuilder()
                .setCancel(CancelGeneration.newBuilder().setRequestId(requestId))
                .build());
      }
    }
  }

  /** Takes an event from the agent; events of requests that are over are dropped. */
  void deliver(GenerationUpdate update) {
    WireEvents.fromWire(update.getEvent(), node.name())
        .ifPresent(
            event -> deliver(update.getRequestId(), event, update.getEvent().getTokensList()));
  }

  private void deliver(String requestId, GenerationEvent event, List<Integer> tokens) {
    boolean last = event instanceof Finished || event instanceof Failed;
    @Nullable EngineSink sink = last ? running.remove(requestId) : running.get(requestId);
    if (sink != null) {
      sink.accept(event, tokens);
    }
  }

  /**
   * @return false if the session is closed
   */
  boolean send(CoordinatorMessage message) {
    synchronized (lock) {
      if (closed || outgoing.isCancelled()) {
        return false;
      }
      outgoing.onNext(message);
      return true;
    }
  }

  @Override
  public void close(String reason) {
    end(Status.ABORTED.withDescription(reason));
    for (String requestId : List.copyOf(running.keySet())) {
      @Nullable EngineSink sink = running.remove(requestId);
      if (sink != null) {
        sink.accept(lost(), List.of());
      }
    }
  }

  /** Ends a session that never began. */
  void end(Status status) {
    synchronized (lock) {
      if (closed) {
        return;
      }
      closed = true;
      if (!outgoing.isCancelled()) {
        outgoing.onError(status.asRuntimeException());
      }
    }
  }

  private static Failed lost() {
    return new Failed(
        FailureCode.NODE_LOST, "the node that was answering was lost; send the request again");
  }
}
