package dev.cloister.agent.supervisor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.cloister.agent.engine.ModelFacts;
import dev.cloister.agent.engine.ModelFacts.Use;
import dev.cloister.agent.supervisor.ModelStatus.Failed;
import dev.cloister.agent.supervisor.ModelStatus.Fetching;
import dev.cloister.agent.supervisor.ModelStatus.Loading;
import dev.cloister.agent.supervisor.ModelStatus.Ready;
import dev.cloister.agent.supervisor.ScriptedEngine.Mood;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(90)
class SupervisorTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final ModelSpec MODEL = EngineStage.model("tiny", 0);

  private final Path directory;
  private final EngineStage stage;
  private final List<ModelStatus> statuses = new CopyOnWriteArrayList<>();
  private final Supervisor supervisor;

  SupervisorTest(@TempDir Path directory) {
    this.directory = directory;
    stage = new EngineStage(directory);
    supervisor = stage.supervisor((model, status) -> statuses.add(status));
  }

  @AfterEach
  void nothingIsLeft() throws IOException {
    supervisor.close();
    assertThat(stage.alive()).isEmpty();
    if (Files.exists(directory.resolve("run"))) {
      assertThat(directory.resolve("run")).isEmptyDirectory();
    }
  }

  @Test
  void aModelGoesFromItsFileToReady() {
    supervisor.serve(MODEL);
    awaitReady(1);
    assertThat(kinds()).containsExactly(Fetching.class, Loading.class, Ready.class);
    assertThat(statuses.getLast())
        .isInstanceOfSatisfying(
            Ready.class,
            ready -> {
              assertThat(ready.facts())
                  .isEqualTo(
                      new ModelFacts(64, 2, "script", true, Set.of(Use.GENERATE, Use.EMBED)));
              assertThat(ready.residentBytes()).isGreaterThan(10 << 20);
            });
    assertThat(supervisor.engine("tiny")).isPresent();
    assertThat(supervisor.engine("other")).isEmpty();
    assertThat(supervisor.residentBytes("tiny")).isGreaterThan(10 << 20);
    assertThat(supervisor.residentBytes("other")).isZero();
  }

  @Test
  void anEngineIsStartedWithWhatItsModelItsOwnerAndTheMachineSay() throws IOException {
    NodeOptions owner =
        new NodeOptions(
            OptionalInt.of(2),
            OptionalInt.empty(),
            Optional.of(EngineOptions.KvType.Q8_0),
            Optional.empty(),
            1 << 20,
            OptionalLong.empty());
    try (Supervisor owned =
        stage.supervisor(
            (model, status) -> statuses.add(status),
            directory.resolve("run"),
            EnginePatience.DEFAULT,
            owner)) {
      owned.serve(MODEL);
      awaitReady(1);
      assertThat(stage.commandLine())
          .containsSequence("--threads", "2", "--batch-threads", "2", "--kv-type", "q8_0")
          .containsSequence(
              "--prefixes",
              directory.resolve("prefixes").resolve(MODEL.sha256()).toString(),
              "--prefix-bytes",
              "1048576")
          .as("ggml starts no debugger")
          .endsWith("1");

      // The folder of the first engine is free for the next.
      ProcessHandle.of(stage.pids().getFirst()).orElseThrow().destroyForcibly();
      awaitReady(2);
      assertThat(stage.commandLine()).contains("--prefixes");
    }
  }

  @Test
  void whatTheOwnersLimitDoesNotHoldIsRefusedBeforeItIsFetched() throws IOException {
    NodeOptions owner =
        new NodeOptions(
            OptionalInt.empty(),
            OptionalInt.empty(),
            Optional.empty(),
            Optional.empty(),
            0,
            OptionalLong.of(100 << 20));
    try (Supervisor owned =
        stage.supervisor(
            (model, status) -> statuses.add(status),
            directory.resolve("run"),
            EnginePatience.DEFAULT,
            owner)) {
      owned.serve(
          new ModelSpec(
              "tiny", MODEL.sha256(), 1, 0, 2, EngineOptions.NONE, Optional.empty(), 101 << 20));
      await().until(() -> statuses.stream().anyMatch(Failed.class::isInstance));
      assertThat(statuses.getFirst())
          .isInstanceOfSatisfying(
              Failed.class,
              failed ->
                  assertThat(failed.error())
                      .startsWith("it needs 101 MiB of memory and this machine's owner allows"));
      assertThat(stage.pids()).isEmpty();
    }
  }

  @Test
  void otherOptionsReplaceTheEngine() {
    supervisor.serve(MODEL);
    awaitReady(1);
    supervisor.serve(
        new ModelSpec("tiny", MODEL.sha256(), 1, 32, 4, EngineOptions.NONE, Optional.empty(), 0));
    awaitReady(2);
    assertThat(stage.commandLine())
        .containsSequence("--context", "32", "--slots", "4")
        .contains("--prefixes");
    assertThat(stage.alive()).hasSize(1);
  }

  @Test
  void anEngineKilledWhenIdleIsReplacedByAnother() {
    supervisor.serve(MODEL);
    awaitReady(1);
    ProcessHandle.of(stage.pids().getFirst()).orElseThrow().destroyForcibly();
    awaitReady(2);
    assertThat(kinds())
        .containsExactly(Fetching.class, Loading.class, Ready.class, Loading.class, Ready.class);
    assertThat(stage.pids()).doesNotHaveDuplicates().hasSize(2);
  }

  @Test
  void anEngineThatHangsIsReplacedByAnother() throws Exception {
    try (Supervisor impatient =
        stage.supervisor(
            (model, status) -> statuses.add(status),
            directory.resolve("run"),
            new EnginePatience(PATIENCE, Duration.ofSeconds(1)))) {
      impatient.serve(MODEL);
      awaitReady(1);
      long hanging = stage.pids().getFirst();
      assertThat(new ProcessBuilder("kill", "-STOP", "" + hanging).start().waitFor()).isZero();
      awaitReady(2);
      assertThat(stage.alive()).hasSize(1).doesNotContain(hanging);
    }
  }

  @Test
  void servingTwiceChangesNothingAndAnotherFileReplacesTheFirst() {
    supervisor.serve(MODEL);
    awaitReady(1);
    supervisor.serve(EngineStage.model("tiny", 0));
    assertThat(stage.pids()).hasSize(1);

    supervisor.serve(EngineStage.model("tiny", 1));
    awaitReady(2);
    assertThat(stage.pids()).hasSize(2);
    assertThat(stage.alive()).containsExactly(stage.pids().getLast());
  }

  @Test
  void aFailureToLoadIsToldInTheEnginesWordsAndTriedAgain() {
    stage.mood(Mood.FAILS_TO_LOAD);
    supervisor.serve(MODEL);
    await().atMost(PATIENCE).until(() -> stage.pids().size() >= 2);
    assertThat(statuses).contains(new Failed("the file is no model"));
    assertThat(statuses).noneMatch(Ready.class::isInstance);
    stage.mood(Mood.WELL);
    awaitReady(1);
  }

  @Test
  void aCrashWhileLoadingIsToldWithTheSignalAndTheLastLine() {
    stage.mood(Mood.DIES_LOADING);
    supervisor.serve(MODEL);
    await().atMost(PATIENCE).until(() -> statuses.stream().anyMatch(Failed.class::isInstance));
    assertThat(statuses)
        .contains(new Failed("the engine was ended by signal 6 (GGML_ASSERT failed)"));
  }

  @Test
  void theProgressOfLoadingIsToldInStepsHoweverOftenTheEngineTellsIt() {
    stage.mood(Mood.LOADS_IN_SMALL_STEPS);
    supervisor.serve(MODEL);
    awaitReady(1);
    List<Double> told =
        statuses.stream()
            .filter(Loading.class::isInstance)
            .map(status -> ((Loading) status).progress())
            .toList();
    assertThat(told).isSorted().hasSizeBetween(20, 22).first().isEqualTo(0.0);
    assertThat(told.getLast()).isEqualTo(1.0);
  }

  @Test
  void closingEndsAnEngineThatIsLoading() {
    stage.mood(Mood.LOADS_FOR_EVER);
    supervisor.serve(MODEL);
    await().atMost(PATIENCE).until(() -> statuses.contains(new Loading(0.75)));
    supervisor.close();
    assertThat(stage.alive()).isEmpty();
  }

  @Test
  void closingEndsAnEngineThatDoesNotWantTo() {
    stage.mood(Mood.IGNORES_TERMINATION);
    supervisor.serve(MODEL);
    awaitReady(1);
    supervisor.close();
    assertThat(stage.alive()).isEmpty();
  }

  @Test
  void closingDoesNotWaitForAnEngineThatNeverListens() {
    stage.mood(Mood.NEVER_LISTENS);
    supervisor.serve(MODEL);
    await().atMost(PATIENCE).until(() -> !stage.alive().isEmpty());
    supervisor.close();
    assertThat(stage.alive()).isEmpty();
  }

  @Test
  void aGentleEngineHasLowPriorityAndHalfOfTheThreads() throws IOException {
    stage.beGentle();
    supervisor.serve(MODEL);
    awaitReady(1);
    assertThat(stage.commandLine())
        .containsSequence("--threads", String.valueOf(EngineStage.CPU.logicalCores() / 2));
    Path stat = Path.of("/proc", String.valueOf(stage.pids().getLast()), "stat");
    if (Files.exists(stat) && Files.exists(Path.of("/usr/bin/nice"))) {
      // proc(5): nice is the 19th field, the 17th behind the name in parentheses.
      String fields = Files.readString(stat);
      assertThat(fields.substring(fields.lastIndexOf(')') + 2).split(" ", -1)[16]).isEqualTo("10");
    }
  }

  @Test
  void anEngineThatNeverListensIsGivenUpAndTriedAgain() {
    stage.mood(Mood.NEVER_LISTENS);
    try (Supervisor impatient =
        stage.supervisor(
            (model, status) -> statuses.add(status),
            directory.resolve("run"),
            new EnginePatience(Duration.ofSeconds(2), Duration.ofSeconds(5)))) {
      impatient.serve(MODEL);
      await().atMost(PATIENCE).until(() -> stage.pids().size() == 2);
      assertThat(statuses)
          .contains(
              new Failed(
                  "the engine cannot be started: the engine did not open its socket within 2 s"));
    }
  }

  @Test
  void anEngineThatCannotBeStartedIsToldAndTriedAgain() throws IOException {
    Files.writeString(directory.resolve("run"), "in the way");
    supervisor.serve(MODEL);
    await()
        .atMost(PATIENCE)
        .until(() -> statuses.stream().filter(Failed.class::isInstance).count() >= 3);
    assertThat(supervisor.engine("tiny")).isEmpty();
    Files.delete(directory.resolve("run"));
    awaitReady(1);
  }

  @Test
  void aLongDataDirectoryGetsAShortSocketThatIsRemovedAgain() {
    Path temporary;
    Path run = directory.resolve("a".repeat(100)).resolve("run");
    try (Supervisor deep =
        stage.supervisor((model, status) -> statuses.add(status), run, EnginePatience.DEFAULT)) {
      deep.serve(MODEL);
      awaitReady(1);
      Path socket = Path.of(stage.argument("--socket"));
      assertThat(socket.toString()).hasSizeLessThan(100);
      temporary = socket.getParent();
      assertThat(temporary).isDirectoryContaining(socket::equals);
    }
    assertThat(run).doesNotExist();
    assertThat(temporary).doesNotExist();
  }

  @Test
  void nothingIsServedOnceItIsClosed() {
    supervisor.close();
    supervisor.serve(MODEL);
    List<ModelSpec> told = new ArrayList<>();
    supervisor.forEach((model, status) -> told.add(model));
    assertThat(told).isEmpty();
  }

  @Test
  void aSpecificationOutOfRangeIsRefused() {
    assertThatThrownBy(
            () ->
                new ModelSpec(
                    "m", "../../etc/passwd", 1, 0, 1, EngineOptions.NONE, Optional.empty(), 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("SHA-256");
    assertThatThrownBy(
            () ->
                new ModelSpec(
                    "m", MODEL.sha256(), -1, 0, 1, EngineOptions.NONE, Optional.empty(), 0))
        .hasMessage("the model's size in bytes: -1 (expected: >= 1)");
    assertThatThrownBy(
            () ->
                new ModelSpec(
                    "m", MODEL.sha256(), 1, 0, 0, EngineOptions.NONE, Optional.empty(), 0))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void anAgentThatIsKilledLeavesNoEngineBehind() throws Exception {
    List<String> command = new ArrayList<>(ScriptedEngine.command(directory));
    command.set(command.indexOf(ScriptedEngine.class.getName()), Agent.class.getName());
    Process agent =
        new ProcessBuilder(command)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    try {
      await().atMost(PATIENCE).until(() -> stage.alive().size() == 1);
      await()
          .atMost(PATIENCE)
          .until(() -> Files.exists(directory.resolve("run").resolve("1.sock")));
    } finally {
      agent.destroyForcibly().waitFor();
    }
    await().atMost(PATIENCE).until(() -> stage.alive().isEmpty());

    // The socket it left does not disturb the next.
    supervisor.serve(MODEL);
    awaitReady(1);
  }

  /** An agent to be killed. */
  static final class Agent {
    public static void main(String[] arguments) throws InterruptedException {
      new EngineStage(Path.of(arguments[0])).supervisor((model, status) -> {}).serve(MODEL);
      new java.util.concurrent.CountDownLatch(1).await();
    }
  }

  private void awaitReady(int times) {
    await()
        .atMost(PATIENCE)
        .until(() -> statuses.stream().filter(Ready.class::isInstance).count() == times);
  }

  /** The kinds of status, repetitions left out. */
  private List<Class<?>> kinds() {
    List<Class<?>> kinds = new ArrayList<>();
    for (ModelStatus status : statuses) {
      if (kinds.isEmpty() || kinds.getLast() != status.getClass()) {
        kinds.add(status.getClass());
      }
    }
    return kinds;
  }
}
