package dev.cloister.agent.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.UnknownFieldSet;
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
import dev.cloister.agent.supervisor.ScriptedEngine;
import dev.cloister.agent.supervisor.Supervisor;
import dev.cloister.agent.transfer.NoPieces;
import dev.cloister.identity.enrollment.Membership;
import dev.cloister.identity.ticket.TicketVerifier;
import dev.cloister.proto.agent.v1.AgentMessage;
import dev.cloister.proto.agent.v1.CoordinatorMessage;
import dev.cloister.proto.agent.v1.CourtesyPolicy;
import dev.cloister.proto.agent.v1.EngineOptions;
import dev.cloister.proto.agent.v1.ModelStatus;
import dev.cloister.proto.inference.v1.Failure;
import dev.cloister.proto.inference.v1.Generation;
import dev.cloister.proto.inference.v1.GenerationEvent;
import dev.cloister.proto.inference.v1.LogitBias;
import dev.cloister.proto.inference.v1.Sampling;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A link, a supervisor and scripted engines against a coordinator over real mutual TLS. */
@Timeout(90)
class CoordinatorLinkTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final ModelSpec MODEL = EngineStage.model("tiny", 0);
  private static final Capability CAPABILITY =
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

  private static final Policy OWNER =
      new Policy(
          false,
          OptionalDouble.of(0.5),
          OptionalDouble.empty(),
          WhileUserPresent.PAUSE,
          List.of(Hours.parse("18:00-08:30")),
          new Ceilings(OptionalLong.of(1L << 30), OptionalLong.empty()));

  private final FakeCoordinator coordinator;
  private final EngineStage stage;
  private final Supervisor supervisor;
  private final IoThread thread = new IoThread();
  private final Stages stages;
  private final PeerListener peers;
  private final CoordinatorLink link;
  private final List<String> told = new CopyOnWriteArrayList<>();

  CoordinatorLinkTest(@TempDir Path directory) throws IOException {
    coordinator = new FakeCoordinator(directory);
    stage = new EngineStage(directory);
    CoordinatorLink[] wired = new CoordinatorLink[1];
    supervisor = stage.supervisor((model, status) -> wired[0].report(model, status));
    Membership membership = coordinator.member(directory.resolve("member"));
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
  void helloComesFirstAndLoadIsReportedAtTheInterval() {
    Visit visit = visit(1);
    awaitMessages(visit, AgentMessage::hasLoad, 3);
    AgentMessage first = visit.messages.element();
    assertThat(first.getHello().getAgentVersion()).isEqualTo("1.2.3");
    assertThat(first.getHello().getPeerAddress()).matches("127\\.0\\.0\\.1:[1-9][0-9]*");
    assertThat(first.getHello().getCapability()).isEqualTo(Wire.toWire(CAPABILITY));
    assertThat(told).containsExactly("connected pc");
  }

  @Test
  void theOwnersPolicyIsInTheHelloAndTheClustersComesWheneverItChanges() {
    Visit visit = visit(1);
    awaitMessages(visit, AgentMessage::hasLoad, 1);
    CourtesyPolicy owner = visit.messages.element().getHello().getOwner();
    assertThat(owner.hasNotOnBattery()).isFalse();
    assertThat(Wire.fromWire(owner)).isEqualTo(OWNER);
    for (boolean notOnBattery : new boolean[] {true, false}) {
      visit.send(
          CoordinatorMessage.newBuilder()
              .setPolicy(CourtesyPolicy.newBuilder().setNotOnBattery(notOnBattery)));
    }
    await().atMost(PATIENCE).until(() -> told.size() == 3);
    assertThat(told)
        .containsExactly("connected pc", "not on battery: true", "not on battery: false");
  }

  @Test
  void aLostCoordinatorIsFoundAgainAndToldEverything() throws Exception {
    ready(visit(1));
    coordinator.die();
    await().atMost(PATIENCE).until(() -> told.size() >= 2);
    assertThat(told.get(1)).startsWith("disconnected the coordinator at 127.0.0.1:");
    coordinator.comeBack();
    Visit second = visit(2);
    awaitMessages(second, message -> isReady(message), 1);
    assertThat(second.messages.element().hasHello()).isTrue();
    assertThat(coordinator.mostOpenAtOnce).hasValue(1);
  }

  @Test
  void aRefusedNodeDoesNotComeBack() {
    Visit visit = visit(1);
    coordinator.refusal = Status.PERMISSION_DENIED.withDescription("this node was removed");
    visit.end(Status.UNAVAILABLE);
    await().atMost(PATIENCE).until(() -> told.contains("refused this node was removed"));
    int before = told.size();
    link.close();
    assertThat(told).hasSize(before);
  }

  @Test
  void goodbyeEndsTheStreamInGoodOrder() {
    Visit visit = visit(1);
    link.close();
    await().atMost(PATIENCE).until(() -> visit.goodbye);
    assertThat(visit.broken).isFalse();
    assertThat(told).containsExactly("connected pc");
  }

  @Test
  void aSecondAgentWithTheSameIdentityIsNotFoughtOver() {
    Visit first = visit(1);
    first.end(Status.ABORTED.withDescription("the node opened another session"));
    await().atMost(PATIENCE).until(() -> told.size() == 2);
    assertThat(told.get(1)).contains("the node opened another session");
    await()
        .during(Duration.ofMillis(1500))
        .atMost(PATIENCE)
        .until(() -> coordinator.visits.size() == 1);
  }

  @Test
  void eventsOfARequestArriveInOrderHoweverMany() {
    Visit visit = visit(1);
    ready(visit);
    visit.generate("a", "tiny", "flood");
    visit.generate("b", "tiny", "flood");
    String expected =
        IntStream.range(0, 10_000).mapToObj(i -> i + " ").collect(Collectors.joining());
    for (String id : List.of("a", "b")) {
      await().atMost(PATIENCE).until(() -> events(visit, id).size() == 10_001);
      assertThat(
              events(visit, id).stream()
                  .map(event -> event.getText().getText())
                  .collect(Collectors.joining()))
          .isEqualTo(expected);
      assertThat(events(visit, id).getLast().hasFinished()).isTrue();
    }
  }

  @Test
  void whatIsAskedReachesTheEngineUnchangedTogetherWithTheTenant() {
    Visit visit = visit(1);
    ready(visit);
    Generation asked =
        Generation.newBuilder()
            .setText("repeat")
            .setGrammar("root ::= \"a\"")
            .setTopLogprobs(3)
            .addResume(7)
            .setResumeEvents(2)
            .setSampling(
                Sampling.newBuilder()
                    .setTypicalP(0.5f)
                    .setRepeatLastN(9)
                    .addLogitBias(LogitBias.newBuilder().setToken(1).setBias(-100)))
            .setUnknownFields(
                UnknownFieldSet.newBuilder()
                    .addField(99, UnknownFieldSet.Field.newBuilder().addVarint(1).build())
                    .build())
            .build();
    visit.generate("a", "tiny", asked);
    await().atMost(PATIENCE).until(() -> events(visit, "a").size() == 3);
    assertThat(events(visit, "a").subList(0, 2))
        .extracting(event -> event.getText().getText())
        .containsExactly("key/7", HexFormat.of().formatHex(asked.toByteArray()));
  }

  @Test
  void everyKindOfEventArrivesAsTheEngineSentIt() {
    Visit visit = visit(1);
    ready(visit);
    visit.generate("a", "tiny", "everything");
    await().atMost(PATIENCE).until(() -> events(visit, "a").size() == 5);
    assertThat(events(visit, "a")).isEqualTo(ScriptedEngine.everything());
  }

  @Test
  void whatAModelOffersIsReported() {
    Visit visit = visit(1);
    ready(visit);
    ModelStatus ready =
        visit.messages.stream()
            .filter(CoordinatorLinkTest::isReady)
            .map(AgentMessage::getModel)
            .findFirst()
            .orElseThrow();
    assertThat(ready.getFull()).isTrue();
    assertThat(ready.getGenerates()).isTrue();
    assertThat(ready.getEmbeds()).isTrue();
    assertThat(ready.getReranks()).isFalse();
  }

  @Test
  void aCoordinatorThatDoesNotReadPausesTheEngineUntilItReadsAgain() {
    Visit visit = visit(1);
    ready(visit);
    visit.reading(false);
    visit.generate("a", "tiny", "flow");
    await()
        .atMost(PATIENCE)
        .during(Duration.ofSeconds(1))
        .until(stage::flowed, pieces -> pieces > 0 && pieces < 2_048);
    visit.generate("b", "other", "hello");
    visit.reading(true);
    await()
        .atMost(PATIENCE)
        .until(() -> events(visit, "a").stream().anyMatch(GenerationEvent::hasFinished));
    assertThat(events(visit, "a")).hasSize(4_097);
    assertThat(stage.flowed()).isEqualTo(4_096);
  }

  @Test
  void aCancellationReachesTheEngine() {
    Visit visit = visit(1);
    ready(visit);
    visit.generate("a", "tiny", "wait");
    await().atMost(PATIENCE).until(() -> events(visit, "a").size() == 1);
    awaitMessages(visit, message -> active(message) == 1, 1);
    visit.cancel("a");
    visit.cancel("unknown");
    await().atMost(PATIENCE).until(stage::wasCancelled);
  }

  @Test
  void whatABrokenSessionAskedForIsCancelled() {
    Visit visit = visit(1);
    ready(visit);
    visit.generate("a", "tiny", "wait");
    await().atMost(PATIENCE).until(() -> events(visit, "a").size() == 1);
    visit.end(Status.UNAVAILABLE);
    await().atMost(PATIENCE).until(stage::wasCancelled);
  }

  @Test
  void aCrashAmidAnAnswerIsToldAndTheNextRequestIsAnswered() {
    Visit visit = visit(1);
    ready(visit);
    visit.generate("a", "tiny", "die");
    await().atMost(PATIENCE).until(() -> events(visit, "a").stream().anyMatch(e -> e.hasFailed()));
    Failure failure = events(visit, "a").getLast().getFailed();
    assertThat(failure.getCode()).isEqualTo(Failure.Code.CODE_NODE_LOST);
    assertThat(failure.getMessage())
        .isEqualTo(
            "the engine of 'tiny' stopped while it was answering and is started again; send the"
                + " request again");
    awaitMessages(visit, message -> isReady(message), 2);
    visit.generate("b", "tiny", "hello");
    await().atMost(PATIENCE).until(() -> events(visit, "b").size() == 2);
    assertThat(events(visit, "b").getFirst().getText().getText()).isEqualTo("answer");
  }

  @Test
  void aModelThatIsNotLoadedIsSaidNotToBe() {
    Visit visit = visit(1);
    visit.generate("a", "other", "hello");
    await().atMost(PATIENCE).until(() -> events(visit, "a").size() == 1);
    assertThat(events(visit, "a").getFirst().getFailed().getMessage())
        .isEqualTo("the model 'other' is not loaded on this node");
  }

  @Test
  void aModelThatCannotBeServedIsSaidSoAndTheSessionGoesOn() {
    Visit visit = visit(1);
    visit.serve("evil", "../../etc/passwd");
    awaitMessages(
        visit,
        message ->
            message.getModel().getState() == ModelStatus.State.STATE_FAILED
                && message.getModel().getError().contains("SHA-256"),
        1);
    ready(visit);
    assertThat(coordinator.visits).hasSize(1);
  }

  @Test
  void theOptionsOfAModelReachItsEngine() {
    Visit visit = visit(1);
    visit.serve(
        "tiny",
        MODEL.sha256(),
        EngineOptions.newBuilder()
            .setThreads(1)
            .setBatchThreads(2)
            .setBatchTokens(64)
            .setGpuLayers(-1)
            .setMainGpu(0)
            .setKvType(EngineOptions.KvType.KV_TYPE_Q8_0)
            .setKvOnHost(true)
            .setFlashAttention(EngineOptions.FlashAttention.FLASH_ATTENTION_ON)
            .build());
    awaitMessages(visit, message -> isReady(message), 1);
    assertThat(stage.commandLine())
        .containsSequence(
            "--threads",
            "1",
            "--batch-threads",
            "2",
            "--batch",
            "64",
            "--gpu-layers",
            "-1",
            "--main-gpu",
            "0",
            "--kv-type",
            "q8_0",
            "--kv-on",
            "host",
            "--flash-attention",
            "on");
  }

  @Test
  void optionsOutOfRangeAreSaidToBe() {
    Visit visit = visit(1);
    visit.serve("tiny", MODEL.sha256(), EngineOptions.newBuilder().setBatchTokens(1).build());
    awaitMessages(
        visit,
        message -> message.getModel().getError().equals("batch: 1 (expected: 32 to 8192)"),
        1);
  }

  @Test
  void messagesOfANewerCoordinatorAreIgnored() {
    Visit visit = visit(1);
    visit.send(
        CoordinatorMessage.newBuilder()
            .setUnknownFields(
                UnknownFieldSet.newBuilder()
                    .addField(99, UnknownFieldSet.Field.newBuilder().addVarint(1).build())
                    .build()));
    ready(visit);
    assertThat(coordinator.visits).hasSize(1);
  }

  @Test
  void aPromptOfSeveralMegabytesDoesNotEndTheSession() {
    Visit visit = visit(1);
    visit.generate("a", "other", "x".repeat(8 << 20));
    await().atMost(PATIENCE).until(() -> events(visit, "a").size() == 1);
    assertThat(coordinator.visits).hasSize(1);
  }

  private Visit visit(int number) {
    await().atMost(PATIENCE).until(() -> coordinator.visits.size() == number);
    Visit visit = coordinator.visits.get(number - 1);
    awaitMessages(visit, AgentMessage::hasLoad, 1);
    return visit;
  }

  private static void ready(Visit visit) {
    visit.serve("tiny", MODEL.sha256());
    awaitMessages(visit, message -> isReady(message), 1);
  }

  private static boolean isReady(AgentMessage message) {
    return message.getModel().getState() == ModelStatus.State.STATE_READY;
  }

  private static int active(AgentMessage message) {
    return message.getLoad().getModelsList().stream()
        .mapToInt(model -> model.getActiveGenerations())
        .sum();
  }

  private static void awaitMessages(Visit visit, Predicate<AgentMessage> wanted, int times) {
    await().atMost(PATIENCE).until(() -> visit.messages.stream().filter(wanted).count() >= times);
  }

  private static List<GenerationEvent> events(Visit visit, String id) {
    return visit.messages.stream()
        .map(AgentMessage::getGeneration)
        .filter(update -> update.getRequestId().equals(id))
        .map(update -> update.getEvent())
        .toList();
  }

  /** What people are told, in order. */
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
