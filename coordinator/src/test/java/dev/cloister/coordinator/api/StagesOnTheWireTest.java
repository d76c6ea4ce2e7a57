package dev.cloister.coordinator.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import dev.cloister.coordinator.fleet.Assignment;
import dev.cloister.coordinator.fleet.NodeSession;
import dev.cloister.coordinator.fleet.Replica;
import dev.cloister.coordinator.links.Wish;
import dev.cloister.coordinator.placement.Network.Link;
import dev.cloister.coordinator.placement.Network.Way;
import dev.cloister.identity.MemberKey;
import dev.cloister.identity.Role;
import dev.cloister.identity.enrollment.Membership;
import dev.cloister.identity.ticket.KeyHash;
import dev.cloister.identity.ticket.Neighbour;
import dev.cloister.identity.ticket.PlanTicket;
import dev.cloister.identity.ticket.TicketVerifier;
import dev.cloister.proto.agent.v1.AgentMessage;
import dev.cloister.proto.agent.v1.CoordinatorMessage;
import dev.cloister.proto.agent.v1.LinkReport;
import dev.cloister.proto.agent.v1.ModelStatus;
import dev.cloister.proto.agent.v1.ReachedLink;
import dev.cloister.proto.catalog.v1.CatalogServiceGrpc;
import dev.cloister.proto.catalog.v1.PlanModelRequest;
import dev.cloister.proto.enrollment.v1.EnrollmentServiceGrpc;
import dev.cloister.proto.enrollment.v1.RenewRequest;
import dev.cloister.proto.peer.v1.EchoRequest;
import dev.cloister.proto.relay.v1.RelayServiceGrpc;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SuppressWarnings("NullAway.Init")
class StagesOnTheWireTest {
  @TempDir private Path directory;
  private TestClusterPort cluster;
  private Membership desk;
  private AgentOnTheWire agent;

  @BeforeEach
  void start() throws Exception {
    cluster = new TestClusterPort(directory);
    desk = cluster.join(Role.AGENT, "desk");
    agent = new AgentOnTheWire(cluster.channel(desk.identity())).open();
  }

  @AfterEach
  void stop() {
    cluster.close();
  }

  private String deskId() {
    return desk.identity().current().id().memberId();
  }

  private NodeSession session() {
    return cluster.fleet.session(deskId()).orElseThrow();
  }

  private CoordinatorMessage awaitLast(CoordinatorMessage.MessageCase kind) {
    await().until(() -> agent.received().getLast().getMessageCase() == kind);
    return agent.received().getLast();
  }

  @Test
  void anAgentIsToldItsLayersAndWhenTheyAreNotWantedAnyMore() {
    session()
        .serve(
            new Assignment(
                cluster.catalog.find("tiny").orElseThrow(),
                512,
                2,
                Optional.of(new Assignment.Stage("plan-1", 1, 3, 4, 8, 99)),
                OptionalInt.of(0),
                77));
    var serve = awaitLast(CoordinatorMessage.MessageCase.SERVE).getServe();
    assertThat(serve.getContextTokens()).isEqualTo(512);
    assertThat(serve.getMemoryBytes()).isEqualTo(77);
    assertThat(serve.getOptions().hasGpuLayers()).isTrue();
    assertThat(serve.getOptions().getGpuLayers()).isZero();
    assertThat(serve.getStage().getPlan()).isEqualTo("plan-1");
    assertThat(serve.getStage().getIndex()).isEqualTo(1);
    assertThat(serve.getStage().getCount()).isEqualTo(3);
    assertThat(serve.getStage().getFirstLayer()).isEqualTo(4);
    assertThat(serve.getStage().getEndLayer()).isEqualTo(8);
    assertThat(serve.getStage().getShelfBytes()).isEqualTo(99);

    session().drop("tiny");
    assertThat(awaitLast(CoordinatorMessage.MessageCase.DROP).getDrop().getModel())
        .isEqualTo("tiny");
  }

  @Test
  void aTicketIsSignedSoThatAgentsBelieveIt() {
    Neighbour own =
        new Neighbour(deskId(), Set.copyOf(cluster.fleet.keys(deskId())), "10.0.0.1:7444");
    PlanTicket ticket =
        new PlanTicket(
            "plan-1",
            1,
            "ab".repeat(32),
            0,
            2,
            0,
            4,
            own,
            own,
            own,
            Instant.now().plusSeconds(60).truncatedTo(ChronoUnit.MILLIS));

    session().connect("tiny", ticket);

    var connect = awaitLast(CoordinatorMessage.MessageCase.CONNECT).getConnect();
    assertThat(connect.getModel()).isEqualTo("tiny");
    assertThat(
            new TicketVerifier(desk.identity(), InstantSource.system())
                .verify(connect.getTicket().toByteArray()))
        .isEqualTo(ticket);
  }

  @Test
  void theKeysOfANodeAreThatOfItsSessionAndTheOneItWasIssuedLast() {
    KeyHash first = KeyHash.of(desk.identity().current().leaf());
    assertThat(cluster.fleet.keys(deskId())).containsExactly(first);
    for (int renewals = 1; renewals <= 2; renewals++) {
      var _ =
          EnrollmentServiceGrpc.newBlockingStub(cluster.channel(desk.identity()))
              .renew(
                  RenewRequest.newBuilder()
                      .setSigningRequest(
                          ByteString.copyFrom(MemberKey.signingRequest(MemberKey.generate())))
                      .build());
      assertThat(cluster.fleet.keys(deskId())).hasSize(2);
    }
    assertThat(cluster.fleet.keys(deskId())).doesNotContain(first);
  }

  @Test
  void whatAStageTellsNamesItsPlan() {
    agent.send(
        AgentMessage.newBuilder()
            .setModel(
                ModelStatus.newBuilder()
                    .setModel("tiny")
                    .setState(ModelStatus.State.STATE_STAGED)
                    .setPlan("plan-1")
                    .setEndLayer(1)
                    .setResidentBytes(77))
            .build());
    await().until(() -> !cluster.fleet.view(deskId()).orElseThrow().replicas().isEmpty());
    assertThat(cluster.fleet.view(deskId()).orElseThrow().replicas())
        .isEqualTo(
            List.of(
                new Replica.Staged("tiny", "plan-1", Optional.of(new Replica.Layers(0, 1)), 77)));
  }

  @Test
  void anAgentMeasuresAWayAndTellsWhatItFound() {
    cluster.survey.tick(new Wish(List.of(deskId()), List.of(), Set.of(), Set.of()));
    var measure = awaitLast(CoordinatorMessage.MessageCase.MEASURE).getMeasure();
    assertThat(measure.hasNode()).as("the coordinator").isFalse();
    assertThat(measure.getPayloadBytes()).isEqualTo(4 << 20);
    agent.send(
        AgentMessage.newBuilder()
            .setLink(
                LinkReport.newBuilder()
                    .setReached(
                        ReachedLink.newBuilder().setRoundTripSeconds(0.002).setBytesPerSecond(1e8)))
            .build());
    await().until(() -> !cluster.links.measured().isEmpty());
    assertThat(cluster.links.measured())
        .isEqualTo(Map.of(Way.toCoordinator(deskId()), Link.measured(0.002, 1e8)));
  }

  @Test
  void theCoordinatorEchoesForAgentsAndNoMoreThanIsAgreed() {
    var relay = RelayServiceGrpc.newBlockingStub(cluster.channel(desk.identity()));
    assertThat(relay.echo(EchoRequest.newBuilder().setResponseBytes(77).build()).getPayload())
        .hasSize(77);
    EchoRequest huge = EchoRequest.newBuilder().setResponseBytes(-1).build();
    assertThatThrownBy(() -> relay.echo(huge)).hasMessageStartingWith("INVALID_ARGUMENT");
  }

  @Test
  void plansAreForAdministratorsAndWantAModelThatCanBeRead() {
    PlanModelRequest tiny = PlanModelRequest.newBuilder().setModel("tiny").build();
    assertThatThrownBy(() -> plan(Role.ADMIN, tiny))
        .hasMessage(
            "INVALID_ARGUMENT: the file of model tiny cannot be read; nothing can be said of its"
                + " layers");
    assertThatThrownBy(() -> plan(Role.ADMIN, tiny.toBuilder().setSlots(65).build()))
        .hasMessage("INVALID_ARGUMENT: slots: 65 (expected: 1 to 64)");
    assertThatThrownBy(() -> plan(Role.ADMIN, tiny.toBuilder().setModel("other").build()))
        .hasMessage("NOT_FOUND: there is no model 'other'; see: cloister model list");
    assertThatThrownBy(() -> plan(Role.CLIENT, tiny)).hasMessageStartingWith("PERMISSION_DENIED");
  }

  private void plan(Role role, PlanModelRequest request) {
    var _ =
        CatalogServiceGrpc.newBlockingStub(
                cluster.channel(cluster.join(role, role.segment()).identity()))
            .planModel(request);
  }
}
