package dev.cloister.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.engine.EngineProcess.Answer;
import dev.cloister.engine.gguf.Architecture;
import dev.cloister.engine.gguf.TensorType;
import dev.cloister.engine.gguf.random.RandomModel;
import dev.cloister.engine.gguf.random.RandomModel.Shape;
import dev.cloister.proto.engine.v1.GenerateRequest;
import dev.cloister.proto.inference.v1.Finished;
import dev.cloister.proto.inference.v1.Generation;
import dev.cloister.proto.inference.v1.Sampling;
import dev.cloister.proto.inference.v1.TokenLogprob;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Each architecture, with random weights and a process of its own, on each native library. */
class EngineArchitecturesTest {
  private static final int TOKENS = 12;
  private static final Offset<Float> TOLERANCE = Offset.offset(0.01f);

  /** The last is longer than the window of models that have one. */
  private static final List<String> PROMPTS =
      List.of(
          "Hello, world!" + " bade".repeat(20),
          "The river" + " fodu".repeat(25),
          "One, two, three" + " gehi".repeat(18),
          "A long story" + " kila mone".repeat(35));

  @TempDir private Path directory;

  static Stream<Arguments> runs() {
    return EngineLibrary.available().stream()
        .flatMap(
            library ->
                Arrays.stream(Architecture.values())
                    .filter(
                        architecture ->
                            library == EngineLibrary.V0_5_0
                                || architecture.runsOnB4916(Shape.tiny(architecture).layers()))
                    .map(architecture -> Arguments.of(library, architecture)));
  }

  @Test
  void sevenRunOnTheLibraryThatComesWithCloister() {
    assertThat(runs().filter(run -> run.get()[0] == EngineLibrary.B4916)).hasSize(7);
  }

  @ParameterizedTest
  @MethodSource("runs")
  void answersTheSameAloneAgainAndInCompany(EngineLibrary library, Architecture architecture)
      throws Exception {
    Path file = write(architecture, Shape.tiny(architecture));
    try (EngineProcess engine =
        EngineProcess.start(library, directory, file, "--slots", "4", "--threads", "1").ready()) {
      List<Answer> alone = new ArrayList<>();
      for (String prompt : PROMPTS) {
        Answer answer = ask(engine, prompt, "alone" + prompt, TOKENS);
        assertSound(answer);
        assertThat(answer.cachedTokens()).isZero();
        alone.add(answer);
      }
      assertThat(alone).extracting(Answer::text).doesNotHaveDuplicates();
      for (int i = 0; i < PROMPTS.size(); i++) {
        String prompt = PROMPTS.get(i);
        String tenant = "beginning" + i;
        Answer beginning = ask(engine, prompt, tenant, 1);
        Answer again = ask(engine, prompt, tenant, TOKENS);
        assertSame(again, alone.get(i));
        // A recurrent state cannot go back a token, to where the next one is chosen.
        boolean recurrent = architecture == Architecture.JAMBA;
        assertThat(again.cachedTokens()).isEqualTo(recurrent ? 0 : beginning.promptTokens() - 1);
        Answer longer = ask(engine, prompt + " wero", tenant, TOKENS);
        assertThat(longer.cachedTokens()).isEqualTo(beginning.promptTokens());
        assertSame(longer, ask(engine, prompt + " wero", "new" + prompt, TOKENS));
      }
      List<Answer> together = together(engine);
      for (int i = 0; i < PROMPTS.size(); i++) {
        assertSame(together.get(i), alone.get(i));
      }
    }
  }

  /**
   * The same tokens, as likely, up to where two were as good as each other: sums are added in
   * another order when there are more rows, and random weights prefer nothing by much.
   */
  private static void assertSame(Answer answer, Answer expected) {
    for (int i = 0; i < TOKENS; i++) {
      TokenLogprob token = answer.logprobs().get(i);
      TokenLogprob other = expected.logprobs().get(i);
      float logprob = other.getToken().getLogprob();
      assertThat(token.getToken().getLogprob()).as("token %d", i).isCloseTo(logprob, TOLERANCE);
      if (token.getToken().getId() != other.getToken().getId()) {
        assertThat(other.getTop(1).getLogprob()).isCloseTo(logprob, TOLERANCE);
        return;
      }
    }
  }

  private static void assertSound(Answer answer) {
    Finished finished = answer.last().getFinished();
    assertThat(finished.getReason()).isEqualTo(Finished.Reason.REASON_LENGTH);
    assertThat(finished.getUsage().getCompletionTokens()).isEqualTo(TOKENS);
    assertThat(answer.logprobs())
        .hasSize(TOKENS)
        .allSatisfy(
            token -> {
              assertThat(token.getToken().getLogprob()).isFinite().isNegative();
              assertThat(token.getTop(0).getId()).isEqualTo(token.getToken().getId());
              assertThat(token.getTopList())
                  .allSatisfy(top -> assertThat(top.getLogprob()).isFinite().isNegative());
            });
  }

  private static List<Answer> together(EngineProcess engine) throws Exception {
    List<Callable<Answer>> calls =
        PROMPTS.stream()
            .<Callable<Answer>>map(prompt -> () -> ask(engine, prompt, "company", TOKENS))
            .toList();
    List<Answer> answers = new ArrayList<>();
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      for (Future<Answer> answer : callers.invokeAll(calls)) {
        answers.add(answer.get());
      }
    }
    return answers;
  }

  private static Answer ask(EngineProcess engine, String prompt, String tenant, int most) {
    Generation generation =
        Generation.newBuilder()
            .setText(prompt)
            .setSampling(Sampling.newBuilder().setTemperature(0))
            .setMaxTokens(most)
            .setTopLogprobs(3)
            .build();
    return Answer.of(
        engine
            .stub()
            .generate(
                GenerateRequest.newBuilder().setGeneration(generation).setTenant(tenant).build()));
  }

  static Stream<Arguments> refusedByTheLibraryThatComesWithCloister() {
    return Stream.of(
        Arguments.of(Architecture.GEMMA2, 4),
        Arguments.of(Architecture.GEMMA3, 5),
        Arguments.of(Architecture.QWEN3, 4),
        Arguments.of(Architecture.JAMBA, 4));
  }

  @ParameterizedTest
  @MethodSource("refusedByTheLibraryThatComesWithCloister")
  void whatOneLibraryDoesNotRunTheOtherDoes(Architecture architecture, int layers)
      throws Exception {
    Path file = write(architecture, new Shape(layers, 128, 4, 2, 256, 1024, 512));
    for (EngineLibrary library : EngineLibrary.available()) {
      try (EngineProcess engine = EngineProcess.start(library, directory, file, "--threads", "1")) {
        switch (library) {
          case B4916 ->
              assertThat(engine.awaitLoaded().getFailed().getMessage())
                  .isEqualTo(
                      "model file model.gguf: the llama.cpp that comes with Cloister does not run"
                          + " %s with %d layers; get a newer one with: cloister engine install"
                          + " llama.cpp",
                      architecture.key(), layers);
          case V0_5_0 -> assertSound(ask(engine.ready(), PROMPTS.getFirst(), "", TOKENS));
        }
      }
    }
  }

  private Path write(Architecture architecture, Shape shape) throws IOException {
    Path file = directory.resolve("model.gguf");
    new RandomModel(architecture, shape, TensorType.F32, false, 1).write(file);
    return file;
  }
}
