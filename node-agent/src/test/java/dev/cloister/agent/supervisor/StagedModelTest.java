package dev.cloister.agent.supervisor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.cloister.agent.supervisor.ModelStatus.Fetching;
import dev.cloister.agent.supervisor.ModelStatus.Loading;
import dev.cloister.agent.supervisor.ModelStatus.Ready;
import dev.cloister.agent.supervisor.ModelStatus.Staged;
import dev.cloister.agent.supervisor.ScriptedEngine.Mood;
import dev.cloister.identity.ticket.KeyHash;
import dev.cloister.identity.ticket.Neighbour;
import dev.cloister.identity.ticket.PlanTicket;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Some layers of a model on one machine. */
@Timeout(90)
class StagedModelTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final EngineStage stage;
  private final List<Told> told = new CopyOnWriteArrayList<>();
  private final Supervisor supervisor;

  private record Told(ModelSpec model, ModelStatus status) {}

  StagedModelTest(@TempDir Path directory) {
    stage = new EngineStage(directory);
    stage.stages();
    supervisor = stage.supervisor((model, status) -> told.add(new Told(model, status)));
  }

  @AfterEach
  void nothingIsLeft() {
    supervisor.close();
    assertThat(stage.alive()).isEmpty();
    assertThat(stage.stageFiles.inUse()).isEmpty();
  }

  @Test
  void theFirstStageIsStartedWithItsLayersAndTheLexicon() {
    ModelSpec first = spec("p1", 0, 3, 0, 4);
    supervisor.serve(first);
    awaitStaged(first);
    assertThat(stage.commandLine())
        .containsSequence("--stage", "first", "--stages", "3")
        .doesNotContain("--prefixes");
    assertThat(stage.argument("--model")).endsWith("-0-4.gguf");
    assertThat(stage.argument("--lexicon")).endsWith("-lexicon.gguf");
    assertThat(stage.stageFiles.inUse()).hasSize(2);
    assertThat(told.stream().map(news -> (Object) news.status().getClass()).distinct())
        .containsExactly(Loading.class, Staged.class);
    assertThat(((Staged) told.getLast().status()).residentBytes()).isGreaterThan(10 << 20);
    assertThat(supervisor.engine("tiny")).as("it cannot answer").isEmpty();
  }

  @Test
  void laterStagesNeedNoLexicon() {
    ModelSpec middle = spec("p1", 1, 3, 4, 8);
    supervisor.serve(middle);
    awaitStaged(middle);
    assertThat(stage.commandLine())
        .containsSequence("--stage", "middle", "--stages", "3")
        .doesNotContain("--lexicon");

    ModelSpec last = spec("p1", 2, 3, 4, 8);
    supervisor.serve(last);
    awaitStaged(last);
    assertThat(stage.commandLine()).containsSequence("--stage", "last", "--stages", "3");
    assertThat(stage.alive()).hasSize(1);
  }

  @Test
  void anotherPlanWithTheSameLayersAtTheSamePlaceKeepsTheEngine() {
    ModelSpec old = spec("p1", 1, 3, 4, 8);
    supervisor.serve(old);
    awaitStaged(old);
    ModelSpec same = spec("p2", 2, 4, 4, 8);
    supervisor.serve(same);
    awaitStaged(same);
    assertThat(stage.pids()).hasSize(1);
    assertThat(supervisor.serves(same)).isTrue();
    assertThat(supervisor.serves(old)).isFalse();

    ModelSpec others = spec("p3", 1, 3, 4, 9);
    supervisor.serve(others);
    awaitStaged(others);
    assertThat(stage.pids()).hasSize(2);
  }

  @Test
  void aFirstStageOfAnotherNumberOfStagesIsAnotherEngine() {
    ModelSpec three = spec("p1", 0, 3, 0, 4);
    supervisor.serve(three);
    awaitStaged(three);
    ModelSpec same = spec("p2", 0, 3, 0, 4);
    supervisor.serve(same);
    awaitStaged(same);
    assertThat(stage.pids()).hasSize(1);

    ModelSpec two = spec("p3", 0, 2, 0, 4);
    supervisor.serve(two);
    awaitStaged(two);
    assertThat(stage.commandLine()).containsSequence("--stage", "first", "--stages", "2");
    assertThat(stage.pids()).hasSize(2);
  }

  @Test
  void anEngineIsGivenOutForTheTicketOfItsOwnStageOnly() {
    ModelSpec spec = spec("p1", 1, 3, 4, 8);
    supervisor.serve(spec);
    awaitStaged(spec);
    assertThat(supervisor.stage("tiny", ticket(spec, "p1", 1, 4))).isPresent();
    assertThat(supervisor.stage("other", ticket(spec, "p1", 1, 4))).isEmpty();
    assertThat(supervisor.stage("tiny", ticket(spec, "p2", 1, 4))).isEmpty();
    assertThat(supervisor.stage("tiny", ticket(spec, "p1", 2, 4))).isEmpty();
    assertThat(supervisor.stage("tiny", ticket(spec, "p1", 1, 3))).isEmpty();
  }

  @Test
  void theFirstStageIsReadyWhileItsPipelineIsClosed() {
    stage.mood(Mood.RING_BREAKS);
    ModelSpec first = spec("p1", 0, 2, 0, 4);
    supervisor.serve(first);
    // How often the load's progress is told depends on how long it takes.
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(
                        told.stream()
                            .map(news -> (Object) news.status().getClass())
                            .filter(kind -> kind != Loading.class && kind != Fetching.class))
                    .containsExactly(Staged.class, Ready.class, Staged.class));
    assertThat(supervisor.engine("tiny")).isEmpty();
  }

  @Test
  void whatIsDroppedEnds() {
    ModelSpec spec = spec("p1", 1, 3, 4, 8);
    supervisor.serve(spec);
    awaitStaged(spec);
    supervisor.drop("other");
    assertThat(stage.alive()).hasSize(1);
    supervisor.drop("tiny");
    assertThat(stage.alive()).isEmpty();
    assertThat(stage.stageFiles.inUse()).isEmpty();
    assertThat(supervisor.serves(spec)).isFalse();
  }

  @Test
  void stagesThatCannotBeAreRefused() {
    assertThatThrownBy(() -> new StageSpec("p", 3, 3, 0, 1, 0))
        .hasMessage("the stage is 3 of 3 (expected: at least 2, counted from 0)");
    assertThatThrownBy(() -> new StageSpec("p", 0, 2, 4, 4, 0))
        .hasMessage("the stage's layers: 4 to 4 (expected: at least one)");
    assertThatThrownBy(() -> new StageSpec("p", 0, 2, 0, 4, -1))
        .hasMessage("the stage's shelf in bytes: -1 (expected: >= 0)");
  }

  @Test
  void anEngineIsToldItsPlaceAndItsShareOfTheShelf() {
    assertThat(new StageSpec("p", 2, 3, 4, 8, 77).flags())
        .containsExactly("--stage", "last", "--stages", "3", "--shelf-bytes", "77");
  }

  private void awaitStaged(ModelSpec spec) {
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                told.stream()
                    .anyMatch(
                        news -> news.model().equals(spec) && news.status() instanceof Staged));
  }

  private static ModelSpec spec(String plan, int index, int count, int first, int end) {
    return new ModelSpec(
        "tiny",
        EngineStage.sha256(0),
        1,
        0,
        2,
        EngineOptions.NONE,
        Optional.of(new StageSpec(plan, index, count, first, end, 0)),
        0);
  }

  private static PlanTicket ticket(ModelSpec spec, String plan, int index, int first) {
    Neighbour any = new Neighbour("node", Set.of(new KeyHash("ab".repeat(32))), "127.0.0.1:7444");
    return new PlanTicket(
        plan, 1, spec.sha256(), index, 3, first, 8, any, any, any, Instant.EPOCH.plusSeconds(1));
  }
}
