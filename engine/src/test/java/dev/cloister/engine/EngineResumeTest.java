package dev.cloister.engine;

import static dev.cloister.engine.EngineProcess.greedy;
import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.proto.engine.v1.GenerateRequest;
import dev.cloister.proto.inference.v1.ChatMessage;
import dev.cloister.proto.inference.v1.ChatPrompt;
import dev.cloister.proto.inference.v1.Failure;
import dev.cloister.proto.inference.v1.Finished;
import dev.cloister.proto.inference.v1.Generation;
import dev.cloister.proto.inference.v1.GenerationEvent;
import dev.cloister.proto.inference.v1.LogitBias;
import dev.cloister.proto.inference.v1.Sampling;
import dev.cloister.proto.inference.v1.Tool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Answers that go on from every place where another engine may have been lost. */
class EngineResumeTest extends DemoEngineTest {
  private static final String PERSON =
      """
      {"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}, \
      "city": {"type": "string"}}, "required": ["name", "age", "city"]}\
      """;
  private static final String WEATHER =
      """
      {"type": "function", "function": {"name": "get_weather", "description": "Get the current \
      weather in a city", "parameters": {"type": "object", "properties": {"city": {"type": \
      "string"}}, "required": ["city"]}}}\
      """;

  private static final AtomicInteger tenants = new AtomicInteger();

  EngineResumeTest(EngineLibrary library) {
    super(library);
  }

  @Test
  void fiftyAnswersGoOnFromEveryEvent() throws IOException {
    List<String> prompts =
        Files.readAllLines(Path.of("src/test/resources/dev/cloister/engine/llamacpp/prompts.txt"));
    assertThat(prompts).hasSize(50);
    for (String prompt : prompts) {
      goesOnFromEveryEvent(
          greedy("").setText(prompt.replace("\\n", "\n")).setMaxTokens(20).build());
    }
  }

  @Test
  void charactersOfSeveralTokensArriveWhole() {
    for (String word : List.of("water", "friend", "house")) {
      goesOnFromEveryEvent(greedy("Translate \"" + word + "\" into Bulgarian.").build());
    }
  }

  @Test
  void stopSequencesReachOverTheLoss() {
    goesOnFromEveryEvent(greedy("Count from 1 to 30.").addStop("9, 10").build());
    goesOnFromEveryEvent(greedy("Count from 1 to 30.").addStop("1, 99").addStop("30").build());
  }

  @Test
  void grammarsAndPenaltiesKnowWhatWasSaidBefore() {
    goesOnFromEveryEvent(
        greedy("JSON please: Ana is 31 and lives in Sofia.").setJsonSchema(PERSON).build());
    goesOnFromEveryEvent(
        greedy("Repeat after me: red red red red red red")
            .setSampling(
                Sampling.newBuilder()
                    .setTemperature(0)
                    .setRepeatPenalty(1.5f)
                    .setFrequencyPenalty(1)
                    .setRepeatLastN(16))
            .setMaxTokens(40)
            .build());
  }

  @Test
  void callsAndProbabilitiesGoOn() {
    ChatPrompt.Builder chat =
        ChatPrompt.newBuilder()
            .addTools(Tool.newBuilder().setName("get_weather").setJson(WEATHER))
            .addMessages(
                ChatMessage.newBuilder()
                    .setRole(ChatMessage.Role.ROLE_USER)
                    .setContent("What is the weather in Sofia?"));
    goesOnFromEveryEvent(greedy("").setChat(chat).build());
    goesOnFromEveryEvent(greedy("Name the planets.").setTopLogprobs(2).build());
  }

  @Test
  void theEndOfTheContextIsTheEndOfTheAnswer() {
    int most = 512;
    Generation endless =
        greedy("Count from 1 to 200.")
            .setSampling(
                Sampling.newBuilder()
                    .setTemperature(0)
                    .addLogitBias(LogitBias.newBuilder().setToken(endToken()).setBias(-100)))
            .build();
    List<GenerationEvent> whole = events(endless);
    var usage = whole.getLast().getFinished().getUsage();
    assertThat(usage.getPromptTokens() + usage.getCompletionTokens()).isEqualTo(most);
    goesOnFrom(whole.size() - 2, whole, endless);
    goesOnFrom(whole.size() / 2, whole, endless);
  }

  private static int endToken() {
    List<GenerationEvent> events = events(greedy("Hello").build());
    return events.getLast().getTokens(events.getLast().getTokensCount() - 1);
  }

  @Test
  void randomAnswersGoOn() {
    Generation random =
        greedy("Name the planets.")
            .setSampling(Sampling.newBuilder().setTemperature(1).setSeed(3))
            .setMaxTokens(12)
            .build();
    List<GenerationEvent> whole = events(random);
    Finished finished = events(resumed(whole, 5, random)).getLast().getFinished();
    assertThat(finished.getUsage().getCompletionTokens()).isBetween(6, 12);
  }

  @Test
  void whatNoAnswerBeginsWithIsRefused() {
    Generation.Builder hello = greedy("Hello").setMaxTokens(3);
    assertRefused(
        hello.clone().addResume(2048).build(), "resume: token 2048 (expected: 0 to 2047)");
    assertRefused(
        hello.clone().addResume(-1).build(), "resume: token 4294967295 (expected: 0 to 2047)");
    assertRefused(
        hello.clone().addAllResume(List.of(65, 65, 65, 65)).build(),
        "resume: 4 tokens (expected: at most max_tokens, 3)");
    assertRefused(
        hello.clone().addResume(endToken()).addResume(65).build(),
        "resume: 2 tokens (expected: none after the end of the answer, 1)");
    int word = events(hello.build()).get(1).getTokens(0);
    assertRefused(
        hello.clone().setGrammar("root ::= \"7\"").addResume(word).build(),
        "resume: the grammar does not allow");
  }

  private static void assertRefused(Generation generation, String message) {
    Failure failure = events(generation).getLast().getFailed();
    assertThat(failure.getCode()).isEqualTo(Failure.Code.CODE_INVALID_REQUEST);
    assertThat(failure.getMessage()).startsWith(message);
  }

  private static List<GenerationEvent> events(Generation generation) {
    return events(generation, "");
  }

  private static List<GenerationEvent> events(Generation generation, String tenant) {
    List<GenerationEvent> events = new ArrayList<>();
    engine
        .stub()
        .generate(GenerateRequest.newBuilder().setGeneration(generation).setTenant(tenant).build())
        .forEachRemaining(events::add);
    return events;
  }

  private static void goesOnFromEveryEvent(Generation generation) {
    List<GenerationEvent> whole = events(generation);
    assertThat(whole.getLast().hasFinished()).as("%s", whole.getLast()).isTrue();
    assertThat(tokens(whole))
        .hasSize(whole.getLast().getFinished().getUsage().getCompletionTokens());
    assertThat(whole).hasSizeGreaterThan(2);
    for (int last = 0; last < whole.size() - 1; last++) {
      goesOnFrom(last, whole, generation);
    }
  }

  /** Asks for the rest of an answer of which the events up to {@code last} arrived. */
  private static void goesOnFrom(int last, List<GenerationEvent> whole, Generation generation) {
    // As another tenant, so that all is computed anew, as another node would.
    List<GenerationEvent> rest =
        events(resumed(whole, last, generation), "tenant " + tenants.incrementAndGet());
    assertThat(rest.getFirst().getStarted().getPromptTokens())
        .isEqualTo(whole.getFirst().getStarted().getPromptTokens());
    assertThat(said(rest.subList(1, rest.size())))
        .as("from event %d of %d", last, whole.size())
        .isEqualTo(said(whole.subList(last + 1, whole.size())));
    assertThat(tokens(rest)).isEqualTo(tokens(whole.subList(last + 1, whole.size())));
  }

  private static Generation resumed(List<GenerationEvent> whole, int last, Generation generation) {
    List<GenerationEvent> told = whole.subList(1, last + 1);
    int parts = 0;
    for (GenerationEvent event : told) {
      parts = event.getTokensCount() > 0 ? 1 : parts + 1;
    }
    return generation.toBuilder().addAllResume(tokens(told)).setResumeEvents(parts).build();
  }

  private static List<Integer> tokens(List<GenerationEvent> events) {
    return events.stream().flatMap(event -> event.getTokensList().stream()).toList();
  }

  /**
   * Without what differs from time to time: the names of calls, what was cached, and the last
   * digits of probabilities, which depend on how many tokens were computed at once.
   */
  private static List<GenerationEvent> said(List<GenerationEvent> events) {
    return events.stream()
        .map(
            event -> {
              GenerationEvent.Builder said = event.toBuilder().clearTokens();
              if (event.hasToolCall()) {
                said.getToolCallBuilder().clearId();
              }
              if (event.hasText()) {
                said.getTextBuilder()
                    .getLogprobsBuilderList()
                    .forEach(logprob -> logprob.clearTop().getTokenBuilder().clearLogprob());
              }
              if (event.hasFinished()) {
                said.getFinishedBuilder().getUsageBuilder().clearCachedPromptTokens();
              }
              return said.build();
            })
        .toList();
  }
}
