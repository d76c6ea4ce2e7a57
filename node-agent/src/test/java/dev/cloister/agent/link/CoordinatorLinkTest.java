package dev.cloister.agent.link;

import static dev.cloister.agent.link.LinkedAgent.CAPABILITY;
import static dev.cloister.agent.link.LinkedAgent.OWNER;
import static dev.cloister.agent.link.LinkedAgent.PATIENCE;
import static dev.cloister.agent.link.LinkedAgent.awaitMessages;
import static dev.cloister.agent.link.LinkedAgent.ready;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.UnknownFieldSet;
import dev.cloister.agent.link.FakeCoordinator.Visit;
import dev.cloister.proto.agent.v1.AgentMessage;
import dev.cloister.proto.agent.v1.CoordinatorMessage;
import dev.cloister.proto.agent.v1.CourtesyPolicy;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The session of an agent with its coordinator: begun, broken, refused, ended. */
@Timeout(90)
class CoordinatorLinkTest {
  @AutoClose private final LinkedAgent agent;

  CoordinatorLinkTest(@TempDir Path directory) throws IOException {
    agent = new LinkedAgent(directory);
  }

  @Test
  void helloComesFirstAndLoadIsReportedAtTheInterval() {
    Visit visit = agent.visit(1);
    awaitMessages(visit, AgentMessage::hasLoad, 3);
    AgentMessage first = visit.messages.element();
    assertThat(first.getHello().getAgentVersion()).isEqualTo("1.2.3");
    assertThat(first.getHello().getPeerAddress()).matches("127\\.0\\.0\\.1:[1-9][0-9]*");
    assertThat(first.getHello().getCapability()).isEqualTo(Wire.toWire(CAPABILITY));
    assertThat(agent.told).containsExactly("connected pc");
  }

  @Test
  void theOwnersPolicyIsInTheHelloAndTheClustersComesWheneverItChanges() {
    Visit visit = agent.visit(1);
    awaitMessages(visit, AgentMessage::hasLoad, 1);
    CourtesyPolicy owner = visit.messages.element().getHello().getOwner();
    assertThat(owner.hasNotOnBattery()).isFalse();
    assertThat(Wire.fromWire(owner)).isEqualTo(OWNER);
    for (boolean notOnBattery : new boolean[] {true, false}) {
      visit.send(
          CoordinatorMessage.newBuilder()
              .setPolicy(CourtesyPolicy.newBuilder().setNotOnBattery(notOnBattery)));
    }
    await().atMost(PATIENCE).until(() -> agent.told.size() == 3);
    assertThat(agent.told)
        .containsExactly("connected pc", "not on battery: true", "not on battery: false");
  }

  @Test
  void aLostCoordinatorIsFoundAgainAndToldEverything() throws Exception {
    ready(agent.visit(1));
    agent.coordinator.die();
    await().atMost(PATIENCE).until(() -> agent.told.size() >= 2);
    assertThat(agent.told.get(1)).startsWith("disconnected the coordinator at 127.0.0.1:");
    agent.coordinator.comeBack();
    Visit second = agent.visit(2);
    awaitMessages(second, LinkedAgent::isReady, 1);
    assertThat(second.messages.element().hasHello()).isTrue();
    assertThat(agent.coordinator.mostOpenAtOnce).hasValue(1);
  }

  @Test
  void aRefusedNodeDoesNotComeBack() {
    Visit visit = agent.visit(1);
    agent.coordinator.refusal = Status.PERMISSION_DENIED.withDescription("this node was removed");
    visit.end(Status.UNAVAILABLE);
    await().atMost(PATIENCE).until(() -> agent.told.contains("refused this node was removed"));
    int before = agent.told.size();
    agent.link.close();
    assertThat(agent.told).hasSize(before);
  }

  @Test
  void goodbyeEndsTheStreamInGoodOrder() {
    Visit visit = agent.visit(1);
    agent.link.close();
    await().atMost(PATIENCE).until(() -> visit.goodbye);
    assertThat(visit.broken).isFalse();
    assertThat(agent.told).containsExactly("connected pc");
  }

  @Test
  void aSecondAgentWithTheSameIdentityIsNotFoughtOver() {
    Visit first = agent.visit(1);
    first.end(Status.ABORTED.withDescription("the node opened another session"));
    await().atMost(PATIENCE).until(() -> agent.told.size() == 2);
    assertThat(agent.told.get(1)).contains("the node opened another session");
    await()
        .during(Duration.ofMillis(1500))
        .atMost(PATIENCE)
        .until(() -> agent.coordinator.visits.size() == 1);
  }

  @Test
  void messagesOfANewerCoordinatorAreIgnored() {
    Visit visit = agent.visit(1);
    visit.send(
        CoordinatorMessage.newBuilder()
            .setUnknownFields(
                UnknownFieldSet.newBuilder()
                    .addField(99, UnknownFieldSet.Field.newBuilder().addVarint(1).build())
                    .build()));
    ready(visit);
    assertThat(agent.coordinator.visits).hasSize(1);
  }
}
