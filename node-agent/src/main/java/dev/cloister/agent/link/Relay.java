package dev.cloister.agent.link;

import dev.cloister.agent.engine.EngineClient;
import dev.cloister.agent.supervisor.Supervisor;
import dev.cloister.proto.agent.v1.GenerationUpdate;
import dev.cloister.proto.agent.v1.StartGeneration;
import dev.cloister.proto.engine.v1.GenerateRequest;
import dev.cloister.proto.inference.v1.Failure;
import dev.cloister.proto.inference.v1.GenerationEvent;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Passes generations of one session to the engines and their events back, unread. While the
 * coordinator does not take more, no more is asked of the engines, and they pause. Thread-safe.
 */
final class Relay {
  private static final Logger log = LoggerFactory.getLogger(Relay.class);

  private final Supervisor supervisor;
  private final Consumer<GenerationUpdate> updates;
  private final BooleanSupplier ready;
  private final Map<String, Running> running = new ConcurrentHashMap<>();
  private final Set<Running> paused = ConcurrentHashMap.newKeySet();
  private final CompletableFuture<@Nullable Void> idle = new CompletableFuture<>();
  private volatile boolean leaving;
  private volatile boolean over;

  /**
   * @param updates takes the events; called by many threads at once
   * @param ready whether the coordinator takes more now; {@link #resume} says when it does again
   */
  Relay(Supervisor supervisor, Consumer<GenerationUpdate> updates, BooleanSupplier ready) {
    this.supervisor = supervisor;
    this.updates = updates;
    this.ready = ready;
  }

  void start(StartGeneration start) {
    String id = start.getRequestId();
    Optional<EngineClient> engine = supervisor.engine(start.getModel());
    if (engine.isEmpty()) {
      send(id, lost("the model '" + start.getModel() + "' is not loaded on this node"));
      return;
    }
    log.debug("request {} for {} is answered here", id, start.getModel());
    Running generation = new Running(id, start.getModel());
    running.put(id, generation);
    engine
        .get()
        .generate(start.getGeneration(), start.getTenant(), start.getMarksList(), generation);
    generation.started();
    if (over) {
      cancel(id);
    }
  }

  void cancel(String requestId) {
    @Nullable Running generation = running.remove(requestId);
    if (generation != null) {
      generation.cancel();
    }
    settle();
  }

  /** Completes as soon as nothing runs and all that ran was told. To be called once. */
  CompletableFuture<@Nullable Void> idle() {
    leaving = true;
    settle();
    return idle;
  }

  private void settle() {
    if (leaving && running.isEmpty()) {
      idle.complete(null);
    }
  }

  /** The coordinator takes more again. */
  void resume() {
    for (Running generation : List.copyOf(paused)) {
      if (paused.remove(generation)) {
        generation.requestNext();
      }
    }
  }

  /** The session is over: nobody waits for what runs, or would still start. */
  void cancelAll() {
    over = true;
    running.keySet().forEach(this::cancel);
  }

  int active(String model) {
    return (int) running.values().stream().filter(each -> each.model.equals(model)).count();
  }

  private void send(String requestId, GenerationEvent event) {
    updates.accept(GenerationUpdate.newBuilder().setRequestId(requestId).setEvent(event).build());
  }

  private static GenerationEvent lost(String message) {
    return GenerationEvent.newBuilder()
        .setFailed(Failure.newBuilder().setCode(Failure.Code.CODE_NODE_LOST).setMessage(message))
        .build();
  }

  /** One generation on its engine. */
  private final class Running implements ClientResponseObserver<GenerateRequest, GenerationEvent> {
    private final String id;
    private final String model;
    private @Nullable ClientCallStreamObserver<GenerateRequest> call;
    private boolean started;
    private volatile boolean cancelled;

    Running(String id, String model) {
      this.id = id;
      this.model = model;
    }

    @Override
    public synchronized void beforeStart(ClientCallStreamObserver<GenerateRequest> stream) {
      call = stream;
      stream.disableAutoRequestWithInitial(1);
    }

    synchronized void requestNext() {
      if (call != null) {
        call.request(1);
      }
    }

    /** Until now gRPC would not have taken a cancellation. */
    synchronized void started() {
      started = true;
      if (cancelled) {
        cancel();
      }
    }

    synchronized void cancel() {
      cancelled = true;
      if (started && call != null) {
        call.cancel("the caller went away", null);
      }
    }

    @Override
    public void onNext(GenerationEvent event) {
      if (event.hasFinished() || event.hasFailed()) {
        running.remove(id);
      }
      if (!cancelled) {
        send(id, event);
      }
      settle();
      paused.add(this);
      // Asked once it is among the paused, so that a resumption in between is not missed.
      if (ready.getAsBoolean() && paused.remove(this)) {
        requestNext();
      }
    }

    @Override
    public void onError(Throwable broken) {
      paused.remove(this);
      // Already removed: the caller has its last event, or wants none.
      if (running.remove(id) != null && !cancelled) {
        log.warn(
            "request {}: the engine of {} broke off: {}",
            id,
            model,
            Status.fromThrowable(broken).getCode());
        send(
            id,
            lost(
                "the engine of '"
                    + model
                    + "' stopped while it was answering and is started again; send the request"
                    + " again"));
      }
      settle();
    }

    @Override
    public void onCompleted() {
      onError(Status.INTERNAL.asRuntimeException());
    }
  }
}
