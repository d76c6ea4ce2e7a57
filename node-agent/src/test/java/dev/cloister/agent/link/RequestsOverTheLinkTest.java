package dev.cloister.agent.link;

import static dev.cloister.agent.link.LinkedAgent.PATIENCE;
import static dev.cloister.agent.link.LinkedAgent.awaitMessages;
import static dev.cloister.agent.link.LinkedAgent.events;
import static dev.cloister.agent.link.LinkedAgent.ready;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.UnknownFieldSet;
import dev.cloister.agent.link.FakeCoordinator.Visit;
import dev.cloister.agent.supervisor.ScriptedEngine;
import dev.cloister.proto.agent.v1.AgentMessage;
import dev.cloister.proto.inference.v1.Failure;
import dev.cloister.proto.inference.v1.Generation;
import dev.cloister.proto.inference.v1.GenerationEvent;
import dev.cloister.proto.inference.v1.LogitBias;
import dev.cloister.proto.inference.v1.Sampling;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Requests from the coordinator to an engine, and their answers back. */
@Timeout(90)
class RequestsOverTheLinkTest {
  @AutoClose private final LinkedAgent agent;

  RequestsOverTheLinkTest(@TempDir Path directory) throws IOException {
    agent = new LinkedAgent(directory);
  }

  @Test
  void eventsOfARequestArriveInOrderHoweverMany() {
    Visit visit = agent.visit(1);
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
    Visit visit = agent.visit(1);
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
    Visit visit = agent.visit(1);
    ready(visit);
    visit.generate("a", "tiny", "everything");
    await().atMost(PATIENCE).until(() -> events(visit, "a").size() == 5);
    assertThat(events(visit, "a")).isEqualTo(ScriptedEngine.everything());
  }

  @Test
  void aCoordinatorThatDoesNotReadPausesTheEngineUntilItReadsAgain() {
    Visit visit = agent.visit(1);
    ready(visit);
    visit.reading(false);
    visit.generate("a", "tiny", "flow");
    await()
        .atMost(PATIENCE)
        .during(Duration.ofSeconds(1))
        .until(agent.engines::flowed, pieces -> pieces > 0 && pieces < 2_048);
    visit.generate("b", "other", "hello");
    visit.reading(true);
    await()
        .atMost(PATIENCE)
        .until(() -> events(visit, "a").stream().anyMatch(GenerationEvent::hasFinished));
    assertThat(events(visit, "a")).hasSize(4_097);
    assertThat(agent.engines.flowed()).isEqualTo(4_096);
  }

  @Test
  void aCancellationReachesTheEngine() {
    Visit visit = agent.visit(1);
    ready(visit);
    visit.generate("a", "tiny", "wait");
    await().atMost(PATIENCE).until(() -> events(visit, "a").size() == 1);
    awaitMessages(visit, message -> active(message) == 1, 1);
    visit.cancel("a");
    visit.cancel("unknown");
    await().atMost(PATIENCE).until(agent.engines::wasCancelled);
  }

  @Test
  void whatABrokenSessionAskedForIsCancelled() {
    Visit visit = agent.visit(1);
    ready(visit);
    visit.generate("a", "tiny", "wait");
    await().atMost(PATIENCE).until(() -> events(visit, "a").size() == 1);
    visit.end(Status.UNAVAILABLE);
    await().atMost(PATIENCE).until(agent.engines::wasCancelled);
  }

  @Test
  void aCrashAmidAnAnswerIsToldAndTheNextRequestIsAnswered() {
    Visit visit = agent.visit(1);
    ready(visit);
    visit.generate("a", "tiny", "die");
    await().atMost(PATIENCE).until(() -> events(visit, "a").stream().anyMatch(e -> e.hasFailed()));
    Failure failure = events(visit, "a").getLast().getFailed();
    assertThat(failure.getCode()).isEqualTo(Failure.Code.CODE_NODE_LOST);
    assertThat(failure.getMessage())
        .isEqualTo(
            "the engine of 'tiny' stopped while it was answering and is started again; send the"
                + " request again");
    awaitMessages(visit, LinkedAgent::isReady, 2);
    visit.generate("b", "tiny", "hello");
    await().atMost(PATIENCE).until(() -> events(visit, "b").size() == 2);
    assertThat(events(visit, "b").getFirst().getText().getText()).isEqualTo("answer");
  }

  @Test
  void aModelThatIsNotLoadedIsSaidNotToBe() {
    Visit visit = agent.visit(1);
    visit.generate("a", "other", "hello");
    await().atMost(PATIENCE).until(() -> events(visit, "a").size() == 1);
    assertThat(events(visit, "a").getFirst().getFailed().getMessage())
        .isEqualTo("the model 'other' is not loaded on this node");
  }

  @Test
  void aPromptOfSeveralMegabytesDoesNotEndTheSession() {
    Visit visit = agent.visit(1);
    visit.generate("a", "other", "x".repeat(8 << 20));
    await().atMost(PATIENCE).until(() -> events(visit, "a").size() == 1);
    assertThat(agent.coordinator.visits).hasSize(1);
  }

  private static int active(AgentMessage message) {
    return message.getLoad().getModelsList().stream()
        .mapToInt(model -> model.getActiveGenerations())
        .sum();
  }
}
