package dev.cloister.agent.link;

import dev.cloister.agent.fingerprint.LoadSampler;
import dev.cloister.agent.stage.LinkMeter;
import dev.cloister.agent.stage.PeerListener;
import dev.cloister.agent.stage.Stages;
import dev.cloister.agent.supervisor.ModelSpec;
import dev.cloister.agent.supervisor.Supervisor;
import dev.cloister.identity.ticket.InvalidTicketException;
import dev.cloister.identity.ticket.Neighbour;
import dev.cloister.proto.agent.v1.AgentMessage;
import dev.cloister.proto.agent.v1.AgentSessionServiceGrpc;
import dev.cloister.proto.agent.v1.ConnectStage;
import dev.cloister.proto.agent.v1.CoordinatorMessage;
import dev.cloister.proto.agent.v1.CourtesyPolicy;
import dev.cloister.proto.agent.v1.LoadReport;
import dev.cloister.proto.agent.v1.MeasureLink;
import dev.cloister.proto.agent.v1.ModelLoad;
import dev.cloister.proto.agent.v1.ModelStatus;
import dev.cloister.proto.agent.v1.ServeModel;
import dev.cloister.proto.agent.v1.Welcome;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One session, from hello to its end. Thread-safe. */
final class Session implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Session.class);

  private final Supervisor supervisor;
  private final Stages stages;
  private final LinkMeter links;
  private final PeerListener peers;
  private final LoadSampler load;
  private final Consumer<Welcome> welcomed;
  private final Consumer<CourtesyPolicy> policy;
  private final Relay relay;
  private final PrefixRelay prefixes;
  private final CompletableFuture<Status> end = new CompletableFuture<>();
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("load-report").daemon().factory());

  private final Object lock = new Object();
  private @Nullable ClientCallStreamObserver<AgentMessage> outgoing;

  /**
   * @param welcomed takes what the coordinator says first
   * @param policy takes what it says of when this machine works
   */
  Session(
      Supervisor supervisor,
      Stages stages,
      LinkMeter links,
      PeerListener peers,
      LoadSampler load,
      Consumer<Welcome> welcomed,
      Consumer<CourtesyPolicy> policy) {
    this.supervisor = supervisor;
    this.peers = peers;
    this.stages = stages;
    this.links = links;
    this.load = load;
    this.welcomed = welcomed;
    this.policy = policy;
    this.relay =
        new Relay(
            supervisor,
            update -> send(AgentMessage.newBuilder().setGeneration(update).build()),
            this::isReady);
    this.prefixes =
        new PrefixRelay(
            supervisor, held -> send(AgentMessage.newBuilder().setPrefixes(held).build()));
  }

  void open(ManagedChannel channel, AgentMessage hello) {
    var stream =
        (ClientCallStreamObserver<AgentMessage>)
            AgentSessionServiceGrpc.newStub(channel).open(new Incoming());
    synchronized (lock) {
      outgoing = stream;
    }
    send(hello);
  }

  /** Tells how a model is doing and, once it answers, what its engine holds. */
  void report(ModelSpec model, dev.cloister.agent.supervisor.ModelStatus status) {
    send(AgentMessage.newBuilder().setModel(Wire.toWire(model, status)).build());
    if (status instanceof dev.cloister.agent.supervisor.ModelStatus.Ready) {
      prefixes.watch(model.name());
    }
  }

  void send(AgentMessage message) {
    synchronized (lock) {
      if (outgoing != null) {
        outgoing.onNext(message);
      }
    }
  }

  /** Whether what is sent goes out now, rather than pile up here. */
  private boolean isReady() {
    synchronized (lock) {
      return outgoing != null && outgoing.isReady();
    }
  }

  /** Waits until the session is over and tells how it ended. */
  Status awaitEnd() throws InterruptedException {
    try {
      return end.get();
    } catch (ExecutionException e) {
      throw new IllegalStateException("never completed with a failure", e);
    }
  }

  /**
   * Has the coordinator take away what runs here, and waits until nothing does any more, until the
   * session is over, or for so long at most.
   */
  void leave(Duration longest) {
    CompletableFuture<?> gone = CompletableFuture.anyOf(relay.idle(), end);
    send(Wire.toWire(new Availability.Stopping()));
    try {
      gone.get(longest.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException | ExecutionException e) {
      log.warn("answers that no other node goes on with are broken off");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Ends the session in good order: the coordinator learns that this is no accident. */
  void goodbye() {
    synchronized (lock) {
      if (outgoing != null) {
        outgoing.onCompleted();
        outgoing = null;
      }
    }
    try {
      end.get(300, TimeUnit.MILLISECONDS);
    } catch (TimeoutException | ExecutionException e) {
      log.debug("no answer to the goodbye");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    timer.shutdownNow();
    relay.cancelAll();
    prefixes.close();
    synchronized (lock) {
      outgoing = null;
    }
  }

  private void reportLoad() {
    try {
      LoadReport.Builder report =
          Wire.toWire(load.sample()).setMemoryBytesPerSecond(load.memoryBytesPerSecond());
      supervisor.forEach(
          (model, status) ->
              report.addModels(
                  ModelLoad.newBuilder()
                      .setModel(model.name())
                      .setActiveGenerations(relay.active(model.name()))
                      .setResidentBytes(supervisor.residentBytes(model.name()))));
      send(AgentMessage.newBuilder().setLoad(report).build());
    } catch (RuntimeException e) {
      // A timer drops a task that throws, and a silent node counts as lost.
      log.warn("the load report failed", e);
    }
  }

  /** gRPC calls it from one thread at a time. */
  private final class Incoming implements ClientResponseObserver<AgentMessage, CoordinatorMessage> {
    @Override
    public void beforeStart(ClientCallStreamObserver<AgentMessage> stream) {
      stream.setOnReadyHandler(relay::resume);
    }

    @Override
    public void onNext(CoordinatorMessage message) {
      switch (message.getMessageCase()) {
        case WELCOME -> welcome(message.getWelcome());
        case SERVE -> serve(message.getServe());
        case START -> relay.start(message.getStart());
        case CANCEL -> relay.cancel(message.getCancel().getRequestId());
        case CONNECT -> connect(message.getConnect());
        case ECHO -> send(AgentMessage.newBuilder().setEcho(message.getEcho()).build());
        case DROP -> drop(message.getDrop().getModel());
        case MEASURE -> measure(message.getMeasure());
        case POLICY -> policy.accept(message.getPolicy());
        case MESSAGE_NOT_SET -> log.debug("a message of a newer version was ignored");
      }
    }

    private void serve(ServeModel wire) {
      try {
        ModelSpec spec = Wire.fromWire(wire);
        peers.share(spec.sha256(), !wire.getRestricted());
        if (!supervisor.serves(spec)) {
          stages.disconnect(spec.name());
        }
        supervisor.serve(spec);
      } catch (IllegalArgumentException e) {
        log.warn("a model cannot be served: {}", e.getMessage());
        send(
            AgentMessage.newBuilder()
                .setModel(
                    ModelStatus.newBuilder()
                        .setModel(wire.getModel())
                        .setSha256(wire.getSha256())
                        .setState(ModelStatus.State.STATE_FAILED)
                        .setError(String.valueOf(e.getMessage())))
                .build());
      }
    }

    private void connect(ConnectStage wire) {
      String model = wire.getModel();
      try {
        stages.connect(
            model, wire.getTicket().toByteArray(), ticket -> supervisor.stage(model, ticket));
      } catch (InvalidTicketException e) {
        log.warn("model {}: its stage is not connected: {}", model, e.getMessage());
      }
    }

    private void measure(MeasureLink wire) {
      Thread.startVirtualThread(
          () -> {
            try {
              Optional<Neighbour> node = Wire.neighbour(wire);
              send(
                  AgentMessage.newBuilder()
                      .setLink(
                          Wire.toWire(
                              node.map(Neighbour::nodeId).orElse(""),
                              links.measure(node, wire.getPayloadBytes())))
                      .build());
            } catch (RuntimeException e) {
              log.warn("a link was not measured: {}", e.toString());
            }
          });
    }

    private void drop(String model) {
      stages.disconnect(model);
      supervisor.drop(model);
    }

    private void welcome(Welcome welcome) {
      welcomed.accept(welcome);
      long interval = Math.max(100, welcome.getReportIntervalMillis());
      var _ =
          timer.scheduleAtFixedRate(Session.this::reportLoad, 0, interval, TimeUnit.MILLISECONDS);
    }

    @Override
    public void onError(Throwable broken) {
      ended(Status.fromThrowable(broken));
    }

    @Override
    public void onCompleted() {
      ended(Status.OK);
    }

    private void ended(Status status) {
      synchronized (lock) {
        outgoing = null;
      }
      end.complete(status);
    }
  }
}
