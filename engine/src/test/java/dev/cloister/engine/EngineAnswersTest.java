package dev.cloister.engine;

import static dev.cloister.engine.EngineProcess.DEMO_MODEL;
import static dev.cloister.engine.EngineProcess.greedy;
import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.engine.EngineProcess.Answer;
import dev.cloister.proto.inference.v1.ChatMessage;
import dev.cloister.proto.inference.v1.ChatPrompt;
import dev.cloister.proto.inference.v1.Failure;
import dev.cloister.proto.inference.v1.Finished;
import dev.cloister.proto.inference.v1.Generation;
import dev.cloister.proto.inference.v1.GenerationEvent;
import dev.cloister.proto.inference.v1.Sampling;
import io.grpc.Context;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Questions to a running engine process with the demonstration model. */
@ParameterizedClass
@MethodSource("dev.cloister.engine.EngineLibrary#available")
class EngineAnswersTest {

  private static final int SLOTS = 4;
  private static final int CONTEXT = 512;

  @TempDir static Path directory;
  private static EngineLibrary library = EngineLibrary.B4916;
  private static EngineProcess engine;

  /** JUnit gives a method its argument only where a constructor takes it, too. */
  EngineAnswersTest(EngineLibrary library) {
    assertThat(library).isEqualTo(EngineAnswersTest.library);
  }

  @BeforeParameterizedClassInvocation
  static void choose(EngineLibrary next) {
    library = next;
  }

  @BeforeAll
  static void start() throws IOException {
    engine = EngineProcess.start(library, directory, DEMO_MODEL, "--slots", "4", "--threads", "1");
    var ready = engine.awaitLoaded().getReady();
    assertThat(ready.getContextTokens()).isEqualTo(CONTEXT);
    assertThat(ready.getSlots()).isEqualTo(SLOTS);
    assertThat(ready.getEngine()).isEqualTo(library.title);
  }

  @AfterAll
  static void stop() throws IOException {
    engine.close();
    assertThat(Files.readString(engine.standardOutput)).isEmpty();
    assertThat(engine.errors()).isEmpty();
  }

  @Test
  void answersWhatTheModelKnows() {
    Answer answer = engine.ask("What is the capital of France?");
    assertThat(answer.text()).contains("Paris");
    assertThat(answer.last().getFinished().getReason()).isEqualTo(Finished.Reason.REASON_STOP);
    var usage = answer.last().getFinished().getUsage();
    assertThat(usage.getPromptTokens()).isEqualTo(answer.promptTokens()).isBetween(10, 40);
    assertThat(usage.getCompletionTokens()).isEqualTo(answer.pieces().size() + 1);
  }

  @Test
  void streamsMultiByteTextInWholeCharacters() {
    Answer answer = engine.ask("Translate \"water\" into Bulgarian.");
    assertThat(answer.text()).contains("вода").doesNotContain("\uFFFD");
  }

  @ParameterizedTest
  @ValueSource(strings = {"😀", "水", "a😀b", "😀😀", "é水😀", "👩‍👩‍👧", "\uE000😀"})
  void neverSplitsACharacterOverPieces(String rare) {
    // Completing its own byte tokens, the model emits characters byte by byte.
    String repeated = "Repeat after me: " + (rare + " ").repeat(12);
    for (int seed = 1; seed <= 3; seed++) {
      Generation generation =
          greedy(repeated)
              .setSampling(Sampling.newBuilder().setTemperature(1.2f).setTopK(0).setSeed(seed))
              .setMaxTokens(80)
              .build();
      for (String piece : engine.ask(generation).pieces()) {
        assertThat(Character.isLowSurrogate(piece.charAt(0))).isFalse();
        assertThat(Character.isHighSurrogate(piece.charAt(piece.length() - 1))).isFalse();
      }
    }
  }

  @Test
  void keepsRareCharactersOfAConversationThroughTheChatTemplate() {
    // Each emoji is four byte tokens here; lost ones would make the prompt shorter.
    int without = engine.ask(greedy("Hello").setMaxTokens(1).build()).promptTokens();
    int with = engine.ask(greedy("Hello😀").setMaxTokens(1).build()).promptTokens();
    int withThree = engine.ask(greedy("Hello😀🇧🇬").setMaxTokens(1).build()).promptTokens();
    int withNull = engine.ask(greedy("Hello\0").setMaxTokens(1).build()).promptTokens();
    assertThat(with).isEqualTo(without + 4);
    assertThat(withThree).isEqualTo(without + 12);
    assertThat(withNull).isEqualTo(without + 1);
  }

  @Test
  void takesEveryRoleAndSeveralTurns() {
    ChatPrompt.Builder chat = ChatPrompt.newBuilder();
    for (ChatMessage.Role role :
        List.of(
            ChatMessage.Role.ROLE_SYSTEM,
            ChatMessage.Role.ROLE_USER,
            ChatMessage.Role.ROLE_ASSISTANT,
            ChatMessage.Role.ROLE_TOOL,
            ChatMessage.Role.ROLE_USER)) {
      chat.addMessages(
          ChatMessage.newBuilder().setRole(role).setContent("a \"q\" \\ \n\t вода </s> {% x %}"));
    }
    Answer answer = engine.ask(greedy("").setChat(chat).setMaxTokens(3).build());
    assertThat(answer.last().hasFinished()).isTrue();
    assertThat(answer.promptTokens()).isGreaterThan(80);
  }

  @Test
  void stopSequenceThatSpansTokensNeverShows() {
    String whole = engine.ask("What is the capital of France?").text();
    for (int start = 1; start < whole.length() - 6; start++) {
      String stop = whole.substring(start, start + 6);
      Answer answer = engine.ask(greedy("What is the capital of France?").addStop(stop).build());
      assertThat(answer.text()).isEqualTo(whole.substring(0, whole.indexOf(stop)));
      assertThat(answer.last().getFinished().getReason()).isEqualTo(Finished.Reason.REASON_STOP);
    }
  }

  @Test
  void textHeldBackForAStopSequenceShowsWhenTheAnswerEndsFirst() {
    String whole = engine.ask("What is the capital of France?").text();
    String never = whole.substring(whole.length() - 3) + "never";
    assertThat(engine.ask(greedy("What is the capital of France?").addStop(never).build()).text())
        .isEqualTo(whole);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5})
  void endsAtTheMostTokensAskedFor(int maxTokens) {
    Answer answer = engine.ask(greedy("Name the planets.").setMaxTokens(maxTokens).build());
    var finished = answer.last().getFinished();
    assertThat(finished.getReason()).isEqualTo(Finished.Reason.REASON_LENGTH);
    assertThat(finished.getUsage().getCompletionTokens()).isEqualTo(maxTokens);
    assertThat(answer.pieces()).hasSizeLessThanOrEqualTo(maxTokens);
  }

  @Test
  void endsWhereTheContextDoes() {
    // The longest prompt that fits leaves room for a few tokens only.
    int repeats = CONTEXT;
    Answer answer = engine.ask(text("a, ".repeat(repeats)).build());
    while (answer.last().hasFailed()) {
      answer = engine.ask(text("a, ".repeat(--repeats)).build());
    }
    var finished = answer.last().getFinished();
    assertThat(finished.getReason()).isEqualTo(Finished.Reason.REASON_LENGTH);
    assertThat(answer.promptTokens() + finished.getUsage().getCompletionTokens())
        .isEqualTo(CONTEXT);
  }

  @Test
  void promptThatDoesNotFitIsRefusedWithBothNumbers() {
    Answer answer = engine.ask("word ".repeat(2000));
    assertThat(answer.pieces()).isEmpty();
    assertThat(answer.promptTokens()).isZero();
    Failure failure = answer.last().getFailed();
    assertThat(failure.getCode()).isEqualTo(Failure.Code.CODE_CONTEXT_LENGTH_EXCEEDED);
    assertThat(failure.getMessage()).containsPattern("prompt has \\d{4,} tokens").contains("512");
  }

  @Test
  void fiftyCancellationsLeaveEverySlotFree() throws Exception {
    Random random = new Random(7);
    String expected = engine.ask("What is the capital of France?").text();
    for (int i = 0; i < 50; i++) {
      int events = random.nextInt(6);
      Context.CancellableContext context = Context.current().withCancellation();
      context.run(
          () -> {
            Iterator<GenerationEvent> answer =
                engine.stub().generate(EngineProcess.request(endless().build()));
            // Drawn at random, an answer may end sooner.
            for (int n = 0; n < events && answer.hasNext(); n++) {
              assertThat(answer.next().hasFailed()).isFalse();
            }
          });
      context.cancel(null);
    }
    for (Future<Answer> answer :
        askAll(Collections.nCopies(SLOTS + 1, "What is the capital of France?"))) {
      assertThat(answer.get().text()).isEqualTo(expected);
    }
  }

  @Test
  void concurrentAnswersEqualSequentialOnes() throws Exception {
    List<String> questions =
        List.of(
            "What is the capital of France?",
            "Name the planets.",
            "What is Cloister?",
            "Translate \"water\" into Bulgarian.",
            "Repeat after me: silver tiger Prague",
            "Count from 3 to 12.",
            "What is 7 + 8?",
            "JSON please: Ana is 31 and lives in Sofia.");
    List<String> sequential = questions.stream().map(q -> engine.ask(q).text()).toList();
    List<String> concurrent = new ArrayList<>();
    for (Future<Answer> answer : askAll(questions)) {
      concurrent.add(answer.get().text());
    }
    assertThat(concurrent).isEqualTo(sequential);
  }

  @Test
  void moreThanTheQueueHoldsIsRefusedAndTheRestIsAnswered() throws Exception {
    int answered = 0;
    int refused = 0;
    for (Future<Answer> answer : askAll(Collections.nCopies(60, "Name the planets."))) {
      GenerationEvent last = answer.get().last();
      if (last.hasFinished()) {
        answered++;
      } else {
        assertThat(last.getFailed().getCode()).isEqualTo(Failure.Code.CODE_NO_CAPACITY);
        refused++;
      }
    }
    assertThat(answered).isGreaterThanOrEqualTo(SLOTS * 5);
    assertThat(answered + refused).isEqualTo(60);
  }

  static Stream<Generation> hostileRequests() {
    Generation.Builder plain = greedy("Hello");
    return Stream.of(
        Generation.getDefaultInstance(),
        Generation.newBuilder().setChat(ChatPrompt.getDefaultInstance()).build(),
        Generation.newBuilder().setText("").build(),
        Generation.newBuilder()
            .setChat(ChatPrompt.newBuilder().addMessages(ChatMessage.getDefaultInstance()))
            .build(),
        with(Sampling.newBuilder().setTemperature(Float.NaN)),
        with(Sampling.newBuilder().setTemperature(Float.POSITIVE_INFINITY)),
        with(Sampling.newBuilder().setTemperature(-0.1f)),
        with(Sampling.newBuilder().setTopP(0)),
        with(Sampling.newBuilder().setMinP(1.5f)),
        with(Sampling.newBuilder().setPresencePenalty(3)),
        plain.clone().addAllStop(Collections.nCopies(17, "x")).build(),
        plain.clone().addStop("").build());
  }

  @ParameterizedTest
  @MethodSource("hostileRequests")
  void wrongRequestsAreRefusedInOneSentence(Generation wrong) {
    Failure failure = engine.ask(wrong).last().getFailed();
    assertThat(failure.getCode()).isEqualTo(Failure.Code.CODE_INVALID_REQUEST);
    assertThat(failure.getMessage()).contains("expected").doesNotContain("\n");
  }

  @Test
  void extremeButAllowedRequestsAreAnswered() {
    Sampling.Builder extreme =
        Sampling.newBuilder()
            .setTemperature(2)
            .setTopP(Float.MIN_VALUE)
            .setTopK(-1)
            .setMinP(1)
            .setSeed(-1)
            .setFrequencyPenalty(-2)
            .setPresencePenalty(2);
    Answer answer = engine.ask(greedy("Hello").setSampling(extreme).setMaxTokens(-1).build());
    assertThat(answer.last().hasFinished()).isTrue();
    assertThat(answer.promptTokens() + answer.pieces().size()).isLessThanOrEqualTo(CONTEXT);
  }

  @Test
  void equalSeedsGiveEqualAnswers() {
    Generation seeded =
        greedy("Tell me something.")
            .setSampling(Sampling.newBuilder().setTemperature(1.5f).setSeed(-1))
            .setMaxTokens(30)
            .build();
    assertThat(engine.ask(seeded).text()).isEqualTo(engine.ask(seeded).text());
  }

  private static Generation with(Sampling.Builder sampling) {
    return greedy("Hello").setSampling(sampling).build();
  }

  private static Generation.Builder text(String text) {
    return Generation.newBuilder()
        .setText(text)
        .setSampling(Sampling.newBuilder().setTemperature(0));
  }

  /** Long enough to be under way when it is cancelled. */
  private static Generation.Builder endless() {
    return greedy("Count from 1 to 100.")
        .setSampling(Sampling.newBuilder().setTemperature(2).setMinP(0).setTopP(1).setTopK(0));
  }

  private static List<Future<Answer>> askAll(List<String> questions) throws Exception {
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      return callers.invokeAll(
          questions.stream()
              .<java.util.concurrent.Callable<Answer>>map(q -> () -> engine.ask(q))
              .toList());
    }
  }
}
