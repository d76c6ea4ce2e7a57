package dev.cloister.coordinator.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import dev.cloister.coordinator.fleet.NodeState;
import dev.cloister.identity.MemberKey;
import dev.cloister.identity.Role;
import dev.cloister.identity.enrollment.EnrollmentException;
import dev.cloister.identity.enrollment.Membership;
import dev.cloister.identity.token.JoinToken;
import dev.cloister.proto.access.v1.AccessServiceGrpc;
import dev.cloister.proto.access.v1.CreateApiKeyRequest;
import dev.cloister.proto.access.v1.CreateJoinTokenRequest;
import dev.cloister.proto.access.v1.CreateJoinTokenResponse;
import dev.cloister.proto.access.v1.ListApiKeysRequest;
import dev.cloister.proto.access.v1.RevokeApiKeyRequest;
import dev.cloister.proto.access.v1.WeighApiKeyRequest;
import dev.cloister.proto.agent.v1.AgentMessage;
import dev.cloister.proto.agent.v1.CoordinatorMessage;
import dev.cloister.proto.agent.v1.LoadReport;
import dev.cloister.proto.catalog.v1.CatalogServiceGrpc;
import dev.cloister.proto.catalog.v1.ListModelsRequest;
import dev.cloister.proto.enrollment.v1.EnrollRequest;
import dev.cloister.proto.enrollment.v1.EnrollmentServiceGrpc;
import dev.cloister.proto.enrollment.v1.RenewRequest;
import dev.cloister.proto.fleet.v1.FleetServiceGrpc;
import dev.cloister.proto.fleet.v1.ListNodesRequest;
import dev.cloister.proto.inference.v1.Failure;
import dev.cloister.proto.inference.v1.Finished;
import dev.cloister.proto.inference.v1.GenerateRequest;
import dev.cloister.proto.inference.v1.Generation;
import dev.cloister.proto.inference.v1.GenerationEvent;
import dev.cloister.proto.inference.v1.InferenceServiceGrpc;
import dev.cloister.proto.inference.v1.Started;
import dev.cloister.proto.inference.v1.TextDelta;
import io.grpc.Channel;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SuppressWarnings("NullAway.Init")
class ClusterServerTest {
  @TempDir private Path directory;
  private TestClusterPort cluster;

  @BeforeEach
  void start() throws Exception {
    cluster = new TestClusterPort(directory);
  }

  @AfterEach
  void stop() {
    cluster.close();
  }

  @Test
  void aNodeJoinsWithATokenAndOpensASession() {
    Membership desk = cluster.join(Role.AGENT, "desk");
    AgentOnTheWire agent = new AgentOnTheWire(cluster.channel(desk.identity())).open();
    assertThat(agent.received().getFirst().getWelcome().getNodeName()).isEqualTo("desk");
    assertThat(agent.received().getFirst().getWelcome().getReportIntervalMillis()).isEqualTo(1000);
    await().until(() -> state() == NodeState.ONLINE);
    agent.goodbye();
    await().until(() -> state() == NodeState.OFFLINE);
  }

  @Test
  void aTokenThatIsUsedExpiredOrOfAnotherClusterAdmitsNobody() throws Exception {
    JoinToken once = cluster.token(Role.AGENT, 1);
    Membership.join(once, directory.resolve("first"), "first");
    assertJoinFails(once, "the join token was already used; create a new one");
    JoinToken late = cluster.token(Role.AGENT, 1);
    cluster.advance(Duration.ofHours(1));
    assertJoinFails(late, "the join token expired 0 s ago; create a new one");
    JoinToken good = cluster.token(Role.AGENT, 1);
    assertJoinFails(
        new JoinToken(good.address(), new byte[32], good.id(), good.secret()),
        "is not the one this join token was made for");
    assertThat(cluster.admission.tokens().getFirst().usesLeft()).isEqualTo(1);
  }

  @Test
  void aMalformedSigningRequestIsAnInvalidArgument() {
    JoinToken token = cluster.token(Role.AGENT, 1);
    var stub = EnrollmentServiceGrpc.newBlockingStub(cluster.stranger());
    assertStatus(
        Status.Code.INVALID_ARGUMENT,
        () ->
            stub.enroll(
                EnrollRequest.newBuilder()
                    .setTokenId(token.id())
                    .setTokenSecret(ByteString.copyFrom(token.secret()))
                    .setSigningRequest(ByteString.copyFromUtf8("rubbish"))
                    .build()));
    assertThat(cluster.admission.tokens().getFirst().usesLeft()).isEqualTo(1);
  }

  @Test
  void withoutACertificateOnlyEnrolmentIsAnswered() {
    Channel stranger = cluster.stranger();
    assertStatus(
        Status.Code.UNAUTHENTICATED,
        () ->
            FleetServiceGrpc.newBlockingStub(stranger)
                .listNodes(ListNodesRequest.getDefaultInstance()));
    assertStatus(
        Status.Code.UNAUTHENTICATED,
        () ->
            EnrollmentServiceGrpc.newBlockingStub(stranger)
                .renew(RenewRequest.getDefaultInstance()));
    assertThat(endOfSession(stranger)).isEqualTo(Status.Code.UNAUTHENTICATED);
  }

  @Test
  void eachRoleMayCallItsOwnMethodsOnly() {
    Channel agent = cluster.channel(cluster.join(Role.AGENT, "desk").identity());
    assertStatus(
        Status.Code.PERMISSION_DENIED,
        () ->
            AccessServiceGrpc.newBlockingStub(agent)
                .createJoinToken(CreateJoinTokenRequest.getDefaultInstance()));
    Channel client = cluster.channel(cluster.join(Role.CLIENT, "laptop").identity());
    assertThat(endOfSession(client)).isEqualTo(Status.Code.PERMISSION_DENIED);
    assertThat(
            CatalogServiceGrpc.newBlockingStub(client)
                .listModels(ListModelsRequest.getDefaultInstance())
                .getModels(0)
                .getName())
        .isEqualTo("tiny");
    assertThat(
            FleetServiceGrpc.newBlockingStub(client)
                .listNodes(ListNodesRequest.getDefaultInstance())
                .getNodes(0)
                .getName())
        .isEqualTo("desk");
  }

  @Test
  void anAdministratorMakesTokensAndKeysAndHearsWhatIsWrong() {
    var access =
        AccessServiceGrpc.newBlockingStub(
            cluster.channel(cluster.join(Role.ADMIN, "boss").identity()));
    CreateJoinTokenRequest good =
        CreateJoinTokenRequest.newBuilder()
            .setRole("agent")
            .setLifetimeMillis(60_000)
            .setUses(1)
            .build();
    CreateJoinTokenResponse made = access.createJoinToken(good);
    assertThat(JoinToken.parse(made.getToken()).address()).endsWith(":" + cluster.port());
    assertStatus(
        Status.Code.INVALID_ARGUMENT,
        () -> access.createJoinToken(good.toBuilder().setRole("wizard").build()));
    assertStatus(
        Status.Code.INVALID_ARGUMENT,
        () -> access.createJoinToken(good.toBuilder().setUses(-1).build()));
    access.createApiKey(CreateApiKeyRequest.newBuilder().setName("web").build());
    assertStatus(
        Status.Code.ALREADY_EXISTS,
        () -> access.createApiKey(CreateApiKeyRequest.newBuilder().setName("web").build()));
    assertStatus(
        Status.Code.NOT_FOUND,
        () -> access.revokeApiKey(RevokeApiKeyRequest.newBuilder().setId("none").build()));
    String id = access.listApiKeys(ListApiKeysRequest.getDefaultInstance()).getKeys(0).getId();
    WeighApiKeyRequest twice = WeighApiKeyRequest.newBuilder().setId(id).setWeight(2).build();
    access.weighApiKey(twice);
    assertThat(access.listApiKeys(ListApiKeysRequest.getDefaultInstance()).getKeys(0).getWeight())
        .isEqualTo(2);
    assertStatus(
        Status.Code.INVALID_ARGUMENT,
        () -> access.weighApiKey(twice.toBuilder().setWeight(0).build()));
    assertStatus(
        Status.Code.NOT_FOUND, () -> access.weighApiKey(twice.toBuilder().setId("none").build()));
    assertStatus(
        Status.Code.INVALID_ARGUMENT,
        () ->
            access.createApiKey(
                CreateApiKeyRequest.newBuilder().setName("heavy").setWeight(1_000).build()));
  }

  @Test
  void aNodeTheCoordinatorDoesNotKnowIsRefusedThoughItsCertificateIsGood() {
    Channel removed = cluster.channel(() -> cluster.issue(Role.AGENT, "removed"));
    assertThat(endOfSession(removed)).isEqualTo(Status.Code.PERMISSION_DENIED);
    assertStatus(
        Status.Code.PERMISSION_DENIED,
        () ->
            EnrollmentServiceGrpc.newBlockingStub(removed)
                .renew(
                    RenewRequest.newBuilder()
                        .setSigningRequest(
                            ByteString.copyFrom(MemberKey.signingRequest(MemberKey.generate())))
                        .build()));
  }

  @Test
  void aSessionBeginsWithHelloOrNotAtAll() throws Exception {
    Channel channel = cluster.channel(cluster.join(Role.AGENT, "desk").identity());
    AgentOnTheWire rude = new AgentOnTheWire(channel);
    rude.send(AgentMessage.newBuilder().setLoad(LoadReport.getDefaultInstance()).build());
    rude.send(AgentOnTheWire.hello());
    assertThat(rude.end().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(rude.end().getDescription()).isEqualTo("the first message of a session is hello");
    assertThat(state()).isEqualTo(NodeState.OFFLINE);
  }

  @Test
  void anAgentThatReportsNonsenseIsCutOff() throws Exception {
    Channel channel = cluster.channel(cluster.join(Role.AGENT, "desk").identity());
    AgentOnTheWire agent = new AgentOnTheWire(channel).open();
    agent.sendReady("tiny", 0);
    assertThat(agent.end().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    await().until(() -> state() == NodeState.LOST);
  }

  @Test
  void aSecondSessionEndsTheFirst() throws Exception {
    Membership desk = cluster.join(Role.AGENT, "desk");
    AgentOnTheWire first = new AgentOnTheWire(cluster.channel(desk.identity())).open();
    AgentOnTheWire second = new AgentOnTheWire(cluster.channel(desk.identity())).open();
    assertThat(first.end().getCode()).isEqualTo(Status.Code.ABORTED);
    assertThat(second.isOpen()).isTrue();
    assertThat(state()).isEqualTo(NodeState.ONLINE);
  }

  @Test
  void aClientIsAnsweredByANode() {
    AgentOnTheWire agent = readyAgent();
    Iterator<GenerationEvent> answer = generate();
    String request = agent.started();
    agent.sendEvent(request, event(Started.newBuilder().setPromptTokens(3).setNode("forged")));
    agent.sendEvent(
        request,
        GenerationEvent.newBuilder().setText(TextDelta.newBuilder().setText("hi")).build());
    agent.sendEvent(
        request,
        GenerationEvent.newBuilder()
            .setFinished(Finished.newBuilder().setReason(Finished.Reason.REASON_STOP))
            .build());
    assertThat(answer.next().getStarted().getNode()).isEqualTo("desk");
    assertThat(answer.next().getText().getText()).isEqualTo("hi");
    assertThat(answer.next().hasFinished()).isTrue();
    assertThat(answer.hasNext()).isFalse();
  }

  @Test
  void anotherNodeGetsTheTokensOfAnAnswerAndTheClientNeverSeesThem() {
    AgentOnTheWire first = readyAgent();
    Iterator<GenerationEvent> answer = generate();
    String request = first.started();
    first.sendEvent(request, event(Started.newBuilder().setPromptTokens(3)));
    first.sendEvent(
        request,
        GenerationEvent.newBuilder()
            .setText(TextDelta.newBuilder().setText("h"))
            .addTokens(8)
            .addTokens(9)
            .build());
    assertThat(answer.next().hasStarted()).isTrue();
    assertThat(answer.next().getTokensList()).isEmpty();
    Membership rack = cluster.join(Role.AGENT, "rack");
    AgentOnTheWire second = new AgentOnTheWire(cluster.channel(rack.identity())).open();
    second.sendReady("tiny", 1);
    first.goodbye();
    assertThat(second.started()).isEqualTo(request);
    Generation rest =
        second.received().stream()
            .filter(CoordinatorMessage::hasStart)
            .findFirst()
            .orElseThrow()
            .getStart()
            .getGeneration();
    assertThat(rest.getText()).isEqualTo("once");
    assertThat(rest.getResumeList()).containsExactly(8, 9);
    assertThat(rest.getResumeEvents()).isEqualTo(1);
  }

  @Test
  void aClientMayNotSayHowItsAnswerBegan() {
    Channel client = cluster.channel(cluster.join(Role.CLIENT, "laptop").identity());
    GenerationEvent only =
        InferenceServiceGrpc.newBlockingStub(client)
            .generate(
                GenerateRequest.newBuilder()
                    .setModel("tiny")
                    .setGeneration(Generation.newBuilder().setText("once").addResume(8))
                    .build())
            .next();
    assertThat(only.getFailed().getCode()).isEqualTo(Failure.Code.CODE_INVALID_REQUEST);
    assertThat(only.getFailed().getMessage())
        .isEqualTo(
            "resume has 1 tokens (expected: none; only the coordinator has answers continued)");
  }

  @Test
  void aClientThatCancelsStopsTheGenerationOnItsNode() {
    AgentOnTheWire agent = readyAgent();
    Context.CancellableContext context = Context.current().withCancellation();
    context.run(
        () -> {
          var _ = generate();
        });
    String request = agent.started();
    context.cancel(null);
    await()
        .atMost(Duration.ofSeconds(1))
        .until(
            () ->
                agent.received().stream()
                    .anyMatch(message -> message.getCancel().getRequestId().equals(request)));
  }

  @Test
  void aRequestWithoutAPromptIsAFailedEvent() {
    Channel client = cluster.channel(cluster.join(Role.CLIENT, "laptop").identity());
    GenerationEvent only =
        InferenceServiceGrpc.newBlockingStub(client)
            .generate(GenerateRequest.newBuilder().setModel("tiny").build())
            .next();
    assertThat(only.getFailed().getMessage()).isEqualTo("the request has no prompt");
  }

  @Test
  void aMessageAbove16MebibytesIsRefusedAndTheSessionOfAnotherNodeGoesOn() throws Exception {
    AgentOnTheWire other = readyAgent();
    Channel channel = cluster.channel(cluster.join(Role.AGENT, "large").identity());
    AgentOnTheWire large = new AgentOnTheWire(channel).open();
    large.sendEvent(
        "r",
        GenerationEvent.newBuilder()
            .setText(TextDelta.newBuilder().setText("x".repeat(16 << 20)))
            .build());
    assertThat(large.end().getCode())
        .isIn(Status.Code.RESOURCE_EXHAUSTED, Status.Code.CANCELLED, Status.Code.UNKNOWN);
    assertThat(other.isOpen()).isTrue();
  }

  private AgentOnTheWire readyAgent() {
    Membership desk = cluster.join(Role.AGENT, "desk");
    AgentOnTheWire agent = new AgentOnTheWire(cluster.channel(desk.identity())).open();
    agent.sendReady("tiny", 1);
    await().until(() -> !cluster.fleet.nodes().getFirst().replicas().isEmpty());
    return agent;
  }

  private Iterator<GenerationEvent> generate() {
    Channel client = cluster.channel(cluster.join(Role.CLIENT, "laptop").identity());
    return InferenceServiceGrpc.newBlockingStub(client)
        .generate(
            GenerateRequest.newBuilder()
                .setModel("tiny")
                .setGeneration(Generation.newBuilder().setText("once"))
                .build());
  }

  private static GenerationEvent event(Started.Builder started) {
    return GenerationEvent.newBuilder().setStarted(started).build();
  }

  private NodeState state() {
    return cluster.fleet.nodes().getFirst().state();
  }

  private static Status.Code endOfSession(Channel channel) {
    AgentOnTheWire agent = new AgentOnTheWire(channel);
    agent.send(AgentOnTheWire.hello());
    try {
      return agent.end().getCode();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  private void assertJoinFails(JoinToken token, String message) {
    assertThatThrownBy(() -> Membership.join(token, directory.resolve("x"), "x"))
        .isInstanceOf(EnrollmentException.class)
        .hasMessageContaining(message);
  }

  private static void assertStatus(Status.Code code, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> assertThat(e.getStatus().getCode()).as(e.getMessage()).isEqualTo(code));
  }
}
