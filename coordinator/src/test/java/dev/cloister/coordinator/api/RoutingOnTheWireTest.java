package dev.cloister.coordinator.api;

import static dev.cloister.coordinator.fakes.TestFleet.MODEL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.cloister.coordinator.fakes.RecordingSink;
import dev.cloister.coordinator.fakes.TestFleet;
import dev.cloister.identity.Role;
import dev.cloister.proto.agent.v1.AgentMessage;
import dev.cloister.proto.agent.v1.CoordinatorMessage;
import dev.cloister.proto.agent.v1.HeldPrefixes;
import dev.cloister.proto.agent.v1.LoadReport;
import dev.cloister.proto.inference.v1.PrefixNews;
import dev.cloister.proto.routing.v1.Decision;
import dev.cloister.proto.routing.v1.ExplainRequest;
import dev.cloister.proto.routing.v1.RoutingServiceGrpc;
import io.grpc.Status;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SuppressWarnings("NullAway.Init")
class RoutingOnTheWireTest {
  @TempDir private Path directory;
  private TestClusterPort cluster;
  private AgentOnTheWire agent;

  @BeforeEach
  void start() throws Exception {
    cluster = new TestClusterPort(directory);
    agent = new AgentOnTheWire(cluster.channel(cluster.join(Role.AGENT, "desk").identity())).open();
    agent.sendReady(MODEL, 4);
    await().until(() -> cluster.fleet.nodes().getFirst().ready(MODEL).isPresent());
  }

  @AfterEach
  void stop() {
    cluster.close();
  }

  @Test
  void aClientIsToldWhyARequestWentToItsNode() {
    cluster.dispatcher.submit(TestFleet.request("req-1"), new RecordingSink());
    var stub =
        RoutingServiceGrpc.newBlockingStub(
            cluster.channel(cluster.join(Role.CLIENT, "laptop").identity()));
    List<Decision> decisions =
        stub.explain(ExplainRequest.newBuilder().setRequestId("req-1").build()).getDecisionsList();
    assertThat(decisions).hasSize(1);
    assertThat(decisions.getFirst().getModel()).isEqualTo(MODEL);
    assertThat(decisions.getFirst().getAnswerTokens()).isEqualTo(16);
    assertThat(decisions.getFirst().getCandidates()).isEqualTo(1);
    var prediction = decisions.getFirst().getPredictions(0);
    assertThat(prediction.getNode()).isEqualTo("desk");
    assertThat(prediction.getMeasured()).isFalse();
    assertThat(prediction.getSeconds())
        .isEqualTo(
            prediction.getWaitSeconds()
                + prediction.getLoadSeconds()
                + prediction.getPromptSeconds()
                + prediction.getAnswerSeconds()
                + prediction.getRoundTripSeconds());
    assertThatThrownBy(() -> stub.explain(ExplainRequest.getDefaultInstance()))
        .hasMessageStartingWith(Status.Code.NOT_FOUND + ": no decision about such a request");
  }

  @Test
  void theWayToANodeIsMeasuredWithItsLoadReports() {
    agent.send(AgentMessage.newBuilder().setLoad(LoadReport.getDefaultInstance()).build());
    await().until(() -> echo().isPresent());
    agent.send(AgentMessage.newBuilder().setEcho(echo().orElseThrow().getEcho()).build());
    await()
        .untilAsserted(
            () -> {
              cluster.dispatcher.submit(TestFleet.request("req-2"), new RecordingSink());
              assertThat(
                      cluster
                          .dispatcher
                          .decisions()
                          .find("req-2")
                          .orElseThrow()
                          .getLast()
                          .decision()
                          .predictions()
                          .getFirst()
                          .roundTripSeconds())
                  .isPositive();
            });
  }

  @Test
  void whatANodeHoldsOfPromptsIsKnown() {
    agent.send(
        AgentMessage.newBuilder()
            .setPrefixes(
                HeldPrefixes.newBuilder()
                    .setModel(MODEL)
                    .setNews(PrefixNews.newBuilder().setWhole(true).addHeld(-7).addTokens(64)))
            .build());
    await()
        .untilAsserted(
            () ->
                assertThat(cluster.dispatcher.prefixes().find(List.of(-7L)))
                    .isEqualTo(Map.of(cluster.fleet.nodes().getFirst().node().id(), 64)));
  }

  private Optional<CoordinatorMessage> echo() {
    return agent.received().stream().filter(CoordinatorMessage::hasEcho).findFirst();
  }
}
