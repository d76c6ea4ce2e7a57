package dev.cloister.agent.link;

import static dev.cloister.agent.link.LinkedAgent.MODEL;
import static dev.cloister.agent.link.LinkedAgent.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cloister.agent.link.FakeCoordinator.Visit;
import dev.cloister.agent.supervisor.ModelSpec;
import dev.cloister.agent.supervisor.StageSpec;
import dev.cloister.identity.ticket.KeyHash;
import dev.cloister.identity.ticket.Neighbour;
import dev.cloister.identity.ticket.PlanTicket;
import dev.cloister.proto.agent.v1.AgentMessage;
import dev.cloister.proto.agent.v1.LinkReport;
import dev.cloister.proto.agent.v1.ModelStatus;
import dev.cloister.proto.agent.v1.StageAssignment;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the coordinator says of stages, and what it is told. */
@Timeout(90)
class StageCommandsTest {
  @AutoClose private final LinkedAgent agent;

  StageCommandsTest(@TempDir Path directory) throws IOException {
    agent = new LinkedAgent(directory);
    agent.engines.stages();
  }

  @Test
  void aStageIsLoadedKeptForAnotherPlanAndDropped() {
    Visit visit = agent.visit(1);
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
    assertThat(agent.supervisor.serves(dropped)).isTrue();
    visit.drop("tiny");
    await().atMost(PATIENCE).until(() -> !agent.supervisor.serves(dropped));
  }

  @Test
  void ticketsThatAreNotGoodHereChangeNothing() throws IOException {
    Visit visit = agent.visit(1);
    visit.serveStage("tiny", MODEL.sha256(), assignment("p1"));
    awaitStaged(visit, "p1");
    visit.connect("tiny", agent.coordinator.sign(ticket("p9", "pc-7")));
    visit.connect("tiny", agent.coordinator.sign(ticket("p1", "pc-8")));
    visit.connect("tiny", new byte[0]);
    visit.serveStage("tiny", MODEL.sha256(), assignment("p2"));
    awaitStaged(visit, "p2");
  }

  @Test
  void waysToOtherNodesAreMeasuredOnDemand() {
    Visit visit = agent.visit(1);
    String address = agent.peers.address(agent.membership.coordinator());
    visit.measure("pc-7", KeyHash.of(agent.membership.identity().current().leaf()), address);
    LinkReport reached = awaitLink(visit, LinkReport.ResultCase.REACHED);
    assertThat(reached.getNodeId()).isEqualTo("pc-7");
    assertThat(reached.getReached().getRoundTripSeconds()).isBetween(0.000_01, 5.0);
    assertThat(reached.getReached().getBytesPerSecond()).isGreaterThan(1e6);

    visit.measure("pc-7", KeyHash.of(agent.membership.identity().current().leaf()), "127.0.0.1:1");
    assertThat(awaitLink(visit, LinkReport.ResultCase.UNREACHABLE).getUnreachable())
        .contains("refused");
    visit.messages.clear();
    visit.measure("pc-8", KeyHash.of(agent.membership.identity().current().leaf()), address);
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
    Set<KeyHash> keys = Set.of(KeyHash.of(agent.membership.identity().current().leaf()));
    Neighbour node = new Neighbour(holder, keys, "127.0.0.1:1");
    return new PlanTicket(
        plan, 1, MODEL.sha256(), 1, 3, 4, 8, node, node, node, Instant.now().plusSeconds(60));
  }
}
