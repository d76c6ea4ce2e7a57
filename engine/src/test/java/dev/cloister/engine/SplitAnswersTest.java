package dev.cloister.engine;

import static dev.cloister.engine.EngineProcess.DEMO_MODEL;
import static dev.cloister.engine.EngineProcess.greedy;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.cloister.engine.EngineProcess.Answer;
import dev.cloister.engine.generation.LoadedModel;
import dev.cloister.engine.generation.RequestException;
import dev.cloister.engine.stage.Step.Precision;
import dev.cloister.proto.inference.v1.Failure;
import dev.cloister.proto.inference.v1.Generation;
import dev.cloister.proto.inference.v1.GenerationEvent;
import dev.cloister.proto.inference.v1.GenerationEvent.EventCase;
import dev.cloister.proto.inference.v1.Sampling;
import io.grpc.Context;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The demonstration model in stages answers what it answers as a whole. */
class SplitAnswersTest {
  private static final int SLOTS = 16;
  private static final int LAYERS = 8;
  private static final List<String> FORMS =
      List.of(
          "What is the capital of %s?",
          "Translate \"%s\" into Bulgarian.",
          "Repeat after me: %s tiger Prague",
          "Count from 3 to %s.",
          "JSON please: Ana is 31 and lives in %s.");
  private static final List<String> WORDS =
      List.of("France", "water", "12", "silver", "Italy", "bread", "Sofia", "9", "house", "Peru");

  @TempDir static Path directory;
  private static StageRing whole;
  private static List<Generation> prompts;
  private static List<Answer> answers;

  @BeforeAll
  static void askTheWhole() throws Exception {
    prompts =
        FORMS.stream()
            .flatMap(form -> WORDS.stream().map(form::formatted))
            .map(question -> greedy(question).setMaxTokens(40).build())
            .toList();
    whole = open(1, Precision.F32);
    answers = prompts.stream().map(whole::ask).toList();
  }

  @AfterAll
  static void close() {
    whole.close();
  }

  private static StageRing open(int stages, Precision precision) throws Exception {
    Deployment deployment =
        Deployment.defaults(EngineLibrary.B4916.cache().orElseThrow())
            .with(Deployment.Library.B4916)
            .withThreads(1)
            .withContext(512, SLOTS);
    List<Integer> cuts =
        IntStream.range(1, stages).mapToObj(stage -> stage * LAYERS / stages).toList();
    Path folder = directory.resolve("ring-" + stages + precision);
    return StageRing.open(folder, DEMO_MODEL, cuts, precision, deployment);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 8})
  void stagesAnswerFiftyPromptsAsTheWhole(int stages) throws Exception {
    try (StageRing ring = open(stages, Precision.F32).connect()) {
      for (int i = 0; i < prompts.size(); i++) {
        Answer answer = ring.ask(prompts.get(i));
        assertThat(answer.text()).isEqualTo(answers.get(i).text());
        // With as many tokens from the shelf.
        assertThat(answer.last()).isEqualTo(answers.get(i).last());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3})
  void sixteenAtATimeAnswerAsTheWhole(int stages) throws Exception {
    try (StageRing ring = open(stages, Precision.F32).connect()) {
      List<Answer> together = askAll(ring);
      for (int i = 0; i < prompts.size(); i++) {
        assertThat(together.get(i).text()).isEqualTo(answers.get(i).text());
      }
    }
  }

  private static List<Answer> askAll(StageRing ring) throws Exception {
    List<Answer> result = new ArrayList<>();
    try (ExecutorService callers = Executors.newFixedThreadPool(SLOTS)) {
      List<Callable<Answer>> calls =
          prompts.stream().<Callable<Answer>>map(prompt -> () -> ring.ask(prompt)).toList();
      for (Future<Answer> answer : callers.invokeAll(calls)) {
        result.add(answer.get());
      }
    }
    return result;
  }

  @Test
  void halfThePrecisionStillAnswers() throws Exception {
    try (StageRing ring = open(2, Precision.F16).connect()) {
      assertThat(ring.ask(greedy("What is the capital of France?").build()).text())
          .contains("Paris");
    }
  }

  @Test
  void embeddingsAndScoresAreRefused() throws Exception {
    try (StageRing ring = open(2, Precision.F32).connect()) {
      LoadedModel first = ring.models.getFirst();
      assertThatThrownBy(() -> first.embed(List.of("a text")))
          .isInstanceOf(RequestException.class)
          .hasMessage(
              "a model whose layers are spread over machines makes no embeddings and scores; have"
                  + " it run whole for them: --split never");
      assertThatThrownBy(() -> first.rerank("a query", List.of("a text")))
          .isInstanceOf(RequestException.class)
          .hasMessageContaining("--split never");
    }
  }

  @Test
  void cancelledAnswersLeaveTheOthersRight() throws Exception {
    Random random = new Random(11);
    try (StageRing ring = open(3, Precision.F32).connect();
        ExecutorService cancelling = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int round = 0; round < 3; round++) {
        for (int i = 0; i < SLOTS; i++) {
          int events = random.nextInt(6);
          cancelling.execute(() -> askAndCancel(ring, events));
        }
        List<Answer> others = askAll(ring);
        for (int i = 0; i < prompts.size(); i++) {
          assertThat(others.get(i).last().getEventCase()).isEqualTo(EventCase.FINISHED);
          assertThat(others.get(i).text()).isEqualTo(answers.get(i).text());
        }
      }
      assertThat(ring.ready()).isTrue();
    }
  }

  private static void askAndCancel(StageRing ring, int events) {
    Context.CancellableContext context = Context.current().withCancellation();
    context.run(
        () -> {
          Generation endless =
              greedy("Count from 1 to 100.")
                  .setSampling(Sampling.newBuilder().setTemperature(2).setTopK(0).setSeed(events))
                  .build();
          Iterator<GenerationEvent> answer = ring.engine().generate(EngineProcess.request(endless));
          for (int n = 0; n < events && answer.hasNext(); n++) {
            answer.next();
          }
        });
    context.cancel(null);
  }

  @Test
  void aLostStageFailsWhatRunsAndTheRingIsClosedAnew() throws Exception {
    try (StageRing ring = open(3, Precision.F32)) {
      await().until(() -> !ring.states.isEmpty() && ring.states.getLast().hasStaged());
      assertLost(ring.ask(prompts.getFirst()));
      for (int lost = 0; lost < 3; lost++) {
        ring.connect();
        assertThat(ring.ask(prompts.get(lost)).text()).isEqualTo(answers.get(lost).text());
        Iterator<GenerationEvent> running =
            ring.engine().generate(EngineProcess.request(greedy("Name the planets.").build()));
        assertThat(running.next().hasStarted()).isTrue();
        ring.lose(lost);
        assertLost(Answer.of(running));
        await().until(() -> ring.states.getLast().hasStaged());
      }
    }
  }

  private static void assertLost(Answer answer) {
    assertThat(answer.last().getFailed().getCode()).isEqualTo(Failure.Code.CODE_NODE_LOST);
  }

  @Test
  void whatTheLastStageCannotSampleIsTheCallersFault() throws Exception {
    try (StageRing ring = open(2, Precision.F32).connect()) {
      Generation wrong = greedy("Hello").setGrammar("root ::= \"7\"").addResume(65).build();
      Failure failure = ring.ask(wrong).last().getFailed();
      assertThat(failure.getCode()).isEqualTo(Failure.Code.CODE_INVALID_REQUEST);
      assertThat(failure.getMessage()).startsWith("resume: the grammar does not allow");
      assertThat(ring.ask(prompts.getFirst()).text()).isEqualTo(answers.getFirst().text());
    }
  }

  @Test
  void grammarsPenaltiesAndProbabilitiesAreThoseOfTheWhole() throws Exception {
    List<Generation> asked =
        List.of(
            greedy("Tell me something.").setGrammar("root ::= \"yes\" | \"no\"").build(),
            greedy("Repeat after me: a a a a a a")
                .setSampling(
                    Sampling.newBuilder().setTemperature(0).setRepeatPenalty(1.5f).setTopK(3))
                .setMaxTokens(20)
                .build(),
            greedy("Name the planets.").setTopLogprobs(3).setMaxTokens(10).build());
    try (StageRing ring = open(3, Precision.F32).connect()) {
      for (Generation generation : asked) {
        Answer answer = ring.ask(generation);
        Answer expected = whole.ask(generation);
        assertThat(answer.text()).isEqualTo(expected.text());
        assertThat(answer.logprobs()).isEqualTo(expected.logprobs());
      }
    }
  }
}
