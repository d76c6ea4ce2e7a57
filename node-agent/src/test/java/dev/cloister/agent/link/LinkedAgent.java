package dev.cloister.agent.link;

import static org.awaitility.Awaitility.await;

import dev.cloister.agent.courtesy.Ceilings;
import dev.cloister.agent.courtesy.Hours;
import dev.cloister.agent.courtesy.Policy;
import dev.cloister.agent.courtesy.Policy.WhileUserPresent;
import dev.cloister.agent.engine.IoThread;
import dev.cloister.agent.fingerprint.Capability;
import dev.cloister.agent.fingerprint.Cpu;
import dev.cloister.agent.fingerprint.Disk;
import dev.cloister.agent.fingerprint.Engines;
import dev.cloister.agent.fingerprint.host.Memory;
import dev.cloister.agent.link.FakeCoordinator.Visit;
import dev.cloister.agent.stage.LinkMeter;
import dev.cloister.agent.stage.Listening;
import dev.cloister.agent.stage.PeerListener;
import dev.cloister.agent.stage.Stages;
import dev.cloister.agent.supervisor.EngineStage;
import dev.cloister.agent.supervisor.ModelSpec;
import dev.cloister.agent.supervisor.Supervisor;
import dev.cloister.agent.transfer.NoPieces;
import dev.cloister.identity.enrollment.Membership;
import dev.cloister.identity.ticket.TicketVerifier;
import dev.cloister.proto.agent.v1.AgentMessage;
import dev.cloister.proto.agent.v1.ModelStatus;
import dev.cloister.proto.inference.v1.GenerationEvent;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;

/** A link, a supervisor and scripted engines against a coordinator over real mutual TLS. */
final class LinkedAgent implements AutoCloseable {
  static final Duration PATIENCE = Duration.ofSeconds(30);
  static final ModelSpec MODEL = EngineStage.model("tiny", 0);
  static final Capability CAPABILITY =
      new Capability(
          "host",
          "system",
          "amd64",
          new Cpu("cpu", 1, 2, List.of()),
          new Memory(2, 1),
          new Disk(2, 1),
          Optional.empty(),
          List.of(),
          List.of(),
          Engines.UNKNOWN);

  static final Policy OWNER =
      new Policy(
          false,
          OptionalDouble.of(0.5),
          OptionalDouble.empty(),
          WhileUserPresent.PAUSE,
          List.of(Hours.parse("18:00-08:30")),
          new Ceilings(OptionalLong.of(1L << 30), OptionalLong.empty()));

  final FakeCoordinator coordinator;
  final EngineStage engines;
  final Membership membership;
  final Supervisor supervisor;
  final PeerListener peers;
  final CoordinatorLink link;

  /** What people are told, in order. */
  final List<String> told = new CopyOnWriteArrayList<>();

  private final IoThread thread = new IoThread();
  private final Stages stages;

  LinkedAgent(Path directory) throws IOException {
    coordinator = new FakeCoordinator(directory);
    engines = new EngineStage(directory);
    CoordinatorLink[] wired = new CoordinatorLink[1];
    supervisor = engines.supervisor((model, status) -> wired[0].report(model, status));
    membership = coordinator.member(directory.resolve("member"));
    stages =
        new Stages(
            membership.identity(),
            new TicketVerifier(membership.identity(), InstantSource.system()),
            membership.coordinator(),
            thread);
    peers =
        PeerListener.start(
            new Listening.Automatic(), membership.identity(), stages, NoPieces.sender(directory));
    link =
        new CoordinatorLink(
            membership,
            supervisor,
            stages,
            new LinkMeter(
                membership.identity(), membership.coordinator(), thread, InstantSource.system()),
            peers,
            CompletableFuture.completedFuture(CAPABILITY),
            OWNER,
            "1.2.3",
            new Told());
    wired[0] = link;
    link.start();
  }

  /** The session that was opened as the first, the second and so on, once it is at work. */
  Visit visit(int number) {
    await().atMost(PATIENCE).until(() -> coordinator.visits.size() == number);
    Visit visit = coordinator.visits.get(number - 1);
    awaitMessages(visit, AgentMessage::hasLoad, 1);
    return visit;
  }

  static void ready(Visit visit) {
    visit.serve("tiny", MODEL.sha256());
    awaitMessages(visit, LinkedAgent::isReady, 1);
  }

  static boolean isReady(AgentMessage message) {
    return message.getModel().getState() == ModelStatus.State.STATE_READY;
  }

  static void awaitMessages(Visit visit, Predicate<AgentMessage> wanted, int times) {
    await().atMost(PATIENCE).until(() -> visit.messages.stream().filter(wanted).count() >= times);
  }

  static List<GenerationEvent> events(Visit visit, String id) {
    return visit.messages.stream()
        .map(AgentMessage::getGeneration)
        .filter(update -> update.getRequestId().equals(id))
        .map(update -> update.getEvent())
        .toList();
  }

  @Override
  public void close() {
    link.close();
    peers.close();
    stages.close();
    thread.close();
    supervisor.close();
    coordinator.close();
  }

  private final class Told implements LinkListener {
    @Override
    public void policy(Policy cluster) {
      told.add("not on battery: " + cluster.notOnBattery());
    }

    @Override
    public void connected(String nodeName) {
      told.add("connected " + nodeName);
    }

    @Override
    public void disconnected(String reason) {
      told.add("disconnected " + reason);
    }

    @Override
    public void refused(String reason) {
      told.add("refused " + reason);
    }
  }
}
