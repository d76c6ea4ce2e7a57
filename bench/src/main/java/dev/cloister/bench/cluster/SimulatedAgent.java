package dev.cloister.bench.cluster;

import dev.cloister.agent.engine.IoThread;
import dev.cloister.identity.Role;
import dev.cloister.identity.enrollment.Membership;
import dev.cloister.identity.tls.ClusterChannel;
import dev.cloister.identity.tls.ClusterTls;
import dev.cloister.proto.agent.v1.AgentMessage;
import dev.cloister.proto.agent.v1.AgentSessionServiceGrpc;
import dev.cloister.proto.agent.v1.CapabilityReport;
import dev.cloister.proto.agent.v1.CoordinatorMessage;
import dev.cloister.proto.agent.v1.Cpu;
import dev.cloister.proto.agent.v1.Disk;
import dev.cloister.proto.agent.v1.Hello;
import dev.cloister.proto.agent.v1.LoadReport;
import dev.cloister.proto.agent.v1.Memory;
import dev.cloister.proto.agent.v1.ModelLoad;
import dev.cloister.proto.agent.v1.ModelStatus;
import dev.cloister.proto.agent.v1.ServeModel;
import io.grpc.ManagedChannel;
import io.grpc.stub.StreamObserver;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.LongAdder;

/**
 * What a coordinator sees of an agent: a session over mutual TLS with a certificate of its own,
 * load reports as often as it was told to, and models that are said to be loaded at once. It
 * answers no requests. Thread-safe.
 */
final class SimulatedAgent implements AutoCloseable {
  private static final long LONGEST_WELCOME_SECONDS = 30;
  private static final long MEMORY_BYTES = 16L << 30;
  private static final long RESIDENT_BYTES = 100L << 20;

  private final ScheduledExecutorService timer;
  private final LongAdder reports;
  private final ManagedChannel channel;
  private final CompletableFuture<Void> welcomed = new CompletableFuture<>();
  private final List<String> models = new CopyOnWriteArrayList<>();
  private final StreamObserver<AgentMessage> outgoing;
  private volatile boolean lost;

  /**
   * Opens a session.
   *
   * @param thread carries the connection
   * @param timer sends load reports
   * @param reports counts them
   */
  SimulatedAgent(
      Membership membership, IoThread thread, ScheduledExecutorService timer, LongAdder reports) {
    this.timer = timer;
    this.reports = reports;
    channel =
        ClusterChannel.to(
                membership.coordinator(),
                ClusterTls.client(membership.identity(), Role.COORDINATOR))
            .keepAliveTimeout(3, TimeUnit.SECONDS)
            .eventLoopGroup(thread.group())
            .channelType(NioSocketChannel.class)
            .directExecutor()
            .build();
    outgoing = AgentSessionServiceGrpc.newStub(channel).open(new Incoming());
    send(
        AgentMessage.newBuilder()
            .setHello(Hello.newBuilder().setAgentVersion("simulated").setCapability(capability()))
            .build());
  }

  private static CapabilityReport capability() {
    return CapabilityReport.newBuilder()
        .setHostName("simulated")
        .setOperatingSystem("Linux")
        .setArchitecture("amd64")
        .setCpu(Cpu.newBuilder().setModel("simulated").setPhysicalCores(4).setLogicalCores(8))
        .setMemory(
            Memory.newBuilder().setTotalBytes(MEMORY_BYTES).setAvailableBytes(MEMORY_BYTES / 2))
        .setDisk(Disk.newBuilder().setTotalBytes(MEMORY_BYTES).setFreeBytes(MEMORY_BYTES))
        .build();
  }

  private void send(AgentMessage message) {
    synchronized (outgoing) {
      outgoing.onNext(message);
    }
  }

  /**
   * Waits until the coordinator has taken it.
   *
   * @throws IOException if it does not
   */
  void awaitWelcome() throws IOException, InterruptedException {
    try {
      welcomed.get(LONGEST_WELCOME_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new IOException("the coordinator does not take a simulated agent: " + e, e);
    }
  }

  /** Whether its session is open and it was told to have a model loaded. */
  boolean isServing() {
    return !lost && !models.isEmpty();
  }

  private void report() {
    LoadReport.Builder load =
        LoadReport.newBuilder()
            .setCpuUtilization(0.1f)
            .setMemoryAvailableBytes(MEMORY_BYTES / 2)
            .setMemoryBytesPerSecond(2e10);
    for (String model : models) {
      load.addModels(ModelLoad.newBuilder().setModel(model).setResidentBytes(RESIDENT_BYTES));
    }
    send(AgentMessage.newBuilder().setLoad(load).build());
    reports.increment();
  }

  private void serve(ServeModel model) {
    if (!models.contains(model.getModel())) {
      models.add(model.getModel());
    }
    send(
        AgentMessage.newBuilder()
            .setModel(
                ModelStatus.newBuilder()
                    .setModel(model.getModel())
                    .setSha256(model.getSha256())
                    .setState(ModelStatus.State.STATE_READY)
                    .setContextTokens(model.getContextTokens())
                    .setSlots(model.getSlots())
                    .setEngine("simulated")
                    .setFull(true)
                    .setGenerates(true)
                    .setResidentBytes(RESIDENT_BYTES))
            .build());
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }

  /** gRPC calls it from one thread at a time. */
  private final class Incoming implements StreamObserver<CoordinatorMessage> {
    @Override
    public void onNext(CoordinatorMessage message) {
      switch (message.getMessageCase()) {
        case WELCOME -> {
          long interval = message.getWelcome().getReportIntervalMillis();
          var _ =
              timer.scheduleAtFixedRate(
                  SimulatedAgent.this::report, 0, interval, TimeUnit.MILLISECONDS);
          welcomed.complete(null);
        }
        case SERVE -> serve(message.getServe());
        case ECHO -> send(AgentMessage.newBuilder().setEcho(message.getEcho()).build());
        case START, CANCEL, CONNECT, DROP, MEASURE, POLICY, MESSAGE_NOT_SET -> {}
      }
    }

    @Override
    public void onError(Throwable broken) {
      lost = true;
      welcomed.completeExceptionally(broken);
    }

    @Override
    public void onCompleted() {
      onError(new IOException("the session was ended"));
    }
  }
}
