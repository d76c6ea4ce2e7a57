package dev.cloister.agent.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cloister.agent.courtesy.Policy;
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
import dev.cloister.agent.supervisor.StageSpec;
import dev.cloister.agent.supervisor.Supervisor;
import dev.cloister.agent.transfer.NoPieces;
import dev.cloister.identity.enrollment.Membership;
import dev.cloister.identity.ticket.KeyHash;
import dev.cloister.identity.ticket.Neighbour;
import dev.cloister.identity.ticket.PlanTicket;
import dev.cloister.identity.ticket.TicketVerifier;
import dev.cloister.proto.agent.v1.AgentMessage;
import dev.cloister.proto.agent.v1.LinkReport;
import dev.cloister.proto.agent.v1.ModelStatus;
import dev.cloister.proto.agent.v1.StageAssignment;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the coordinator says of stages, and what it is told. */
@Timeout(90)
class StageCommandsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final ModelSpec MODEL = EngineStage.model("tiny", 0);

  private final FakeCoordinator coordinator;
  private final EngineStage engines;
  private final Membership membership;
  private final Supervisor supervisor;
  private final IoThread thread = new IoThread();
  private final Stages stages;
  private final PeerListener peers;
  private final CoordinatorLink link;

  StageCommandsTest(@TempDir Path directory) throws IOException {
    coordinator = new FakeCoordinator(directory);
    engines = new EngineStage(directory);
    engines.stages();
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
            CompletableFuture.completedFuture(
                new Capability(
                    "pc",
                    "os",
                    "amd64",
                    new Cpu("cpu", 4, 8, List.of()),
                    new Memory(1, 1),
                    new Disk(1, 1),
                    Optional.empty(),
                    List.of(),
                    List.of(),
                    Engines.UNKNOWN)),
            Policy.NONE,
            "1.2.3",
            new Silent());
    wired[0] = link;
    link.start();
  }

  @AfterEach
  void stop() {
    link.close();
    peers.close();
    stages.close();
    thread.close();
    supervisor.close();
    coordinator.close();
  }

  @Test
  void aStageIsLoadedKeptForAnotherPlanAndDropped() {
    Visit visit = visit();
    visit.serveStage("tiny", MODEL.sha256(), assignment("p1"));
    ModelStatus staged = awaitStaged(visit, "p1");
    assertThat(staged.getResidentBytes()).isGreaterThan(10 << 20);
    visit.serveStage("tiny", MODEL.sha256(), assignment("p2"));
    awaitStaged(visit, "p2");
    ModelSpec dropped =
        new ModelSpec(
            "tiny",
            MODEL.sha256(),
            1,
            0,
            2,
            MODEL.options(),
            Optional.of(new StageSpec("p2", 1, 3, 4, 8, 77)),
            0);
    assertThat(supervisor.serves(dropped)).isTrue();
    visit.drop("tiny");
    await().atMost(PATIENCE).until(() -> !supervisor.serves(dropped));
  }

  @Test
  void ticketsThatAreNotGoodHereChangeNothing() throws IOException {
    Visit visit = visit();
    visit.serveStage("tiny", MODEL.sha256(), assignment("p1"));
    awaitStaged(visit, "p1");
    visit.connect("tiny", coordinator.sign(ticket("p9", "pc-7")));
    visit.connect("tiny", coordinator.sign(ticket("p1", "pc-8")));
    visit.connect("tiny", new byte[0]);
    visit.serveStage("tiny", MODEL.sha256(), assignment("p2"));
    awaitStaged(visit, "p2");
  }

  @Test
  void waysToOtherNodesAreMeasuredOnDemand() {
    Visit visit = visit();
    String address = peers.address(membership.coordinator());
    visit.measure("pc-7", KeyHash.of(membership.identity().current().leaf()), address);
    LinkReport reached = awaitLink(visit, LinkReport.ResultCase.REACHED);
    assertThat(reached.getNodeId()).isEqualTo("pc-7");
    assertThat(reached.getReached().getRoundTripSeconds()).isBetween(0.000_01, 5.0);
    assertThat(reached.getReached().getBytesPerSecond()).isGreaterThan(1e6);

    visit.measure("pc-7", KeyHash.of(membership.identity().current().leaf()), "127.0.0.1:1");
    assertThat(awaitLink(visit, LinkReport.ResultCase.UNREACHABLE).getUnreachable())
        .contains("refused");
    visit.messages.clear();
    visit.measure("pc-8", KeyHash.of(membership.identity().current().leaf()), address);
    assertThat(awaitLink(visit, LinkReport.ResultCase.UNREACHABLE).getNodeId())
        .as("another node answers there")
        .isEqualTo("pc-8");
  }

  private static LinkReport awaitLink(Visit visit, LinkReport.ResultCase result) {
    return await()
        .atMost(PATIENCE)
        .until(
            () ->
                visit.messages.stream()
                    .filter(AgentMessage::hasLink)
                    .map(AgentMessage::getLink)
                    .filter(link -> link.getResultCase() == result)
                    .findFirst(),
            Optional::isPresent)
        .orElseThrow();
  }

  private Visit visit() {
    await().atMost(PATIENCE).until(() -> !coordinator.visits.isEmpty());
    return coordinator.visits.getFirst();
  }

  private static ModelStatus awaitStaged(Visit visit, String plan) {
    return await()
        .atMost(PATIENCE)
        .until(
            () ->
                visit.messages.stream()
                    .filter(AgentMessage::hasModel)
                    .map(AgentMessage::getModel)
                    .filter(news -> news.getState() == ModelStatus.State.STATE_STAGED)
                    .filter(news -> news.getPlan().equals(plan))
                    .findFirst(),
            Optional::isPresent)
        .orElseThrow();
  }

  private static StageAssignment assignment(String plan) {
    return StageAssignment.newBuilder()
        .setPlan(plan)
        .setIndex(1)
        .setCount(3)
        .setFirstLayer(4)
        .setEndLayer(8)
        .setShelfBytes(77)
        .build();
  }

  private PlanTicket ticket(String plan, String holder) {
    Set<KeyHash> keys = Set.of(KeyHash.of(membership.identity().current().leaf()));
    Neighbour node = new Neighbour(holder, keys, "127.0.0.1:1");
    return new PlanTicket(
        plan, 1, MODEL.sha256(), 1, 3, 4, 8, node, node, node, Instant.now().plusSeconds(60));
  }

  private static final class Silent implements LinkListener {
    @Override
    public void policy(Policy cluster) {}

    @Override
    public void connected(String nodeName) {}

    @Override
    public void disconnected(String reason) {}

    @Override
    public void refused(String reason) {}
  }
}
