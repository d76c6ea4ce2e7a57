package dev.cloister.engine;

import static dev.cloister.engine.EngineProcess.greedy;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.cloister.engine.EngineProcess.Answer;
import dev.cloister.proto.inference.v1.ChatMessage;
import dev.cloister.proto.inference.v1.ChatPrompt;
import dev.cloister.proto.inference.v1.Failure;
import dev.cloister.proto.inference.v1.Finished;
import dev.cloister.proto.inference.v1.Generation;
import dev.cloister.proto.inference.v1.JsonObject;
import dev.cloister.proto.inference.v1.LogitBias;
import dev.cloister.proto.inference.v1.Sampling;
import dev.cloister.proto.inference.v1.Tool;
import dev.cloister.proto.inference.v1.ToolCall;
import dev.cloister.proto.inference.v1.ToolChoice;
import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Tools, JSON and grammars, asked of a real process with the demo model. */
class EngineToolsTest extends DemoEngineTest {
  private static final String WEATHER =
      """
      {"type": "function", "function": {"name": "get_weather", "description": "Get the current \
      weather in a city", "parameters": {"type": "object", "properties": {"city": {"type": \
      "string"}}, "required": ["city"]}}}\
      """;
  private static final String TIME =
      """
      {"type": "function", "function": {"name": "get_time", "description": "Get the local time in \
      a city", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, \
      "required": ["city"]}}}\
      """;
  private static final String PERSON =
      """
      {"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}, \
      "city": {"type": "string"}}, "required": ["name", "age", "city"]}\
      """;
  private static final ObjectMapper JSON = new ObjectMapper();

  EngineToolsTest(EngineLibrary library) {
    super(library);
  }

  private static ChatMessage message(ChatMessage.Role role, String content) {
    return ChatMessage.newBuilder().setRole(role).setContent(content).build();
  }

  private static ChatPrompt.Builder withTools(String question) {
    return ChatPrompt.newBuilder()
        .addMessages(message(ChatMessage.Role.ROLE_USER, question))
        .addTools(Tool.newBuilder().setName("get_weather").setJson(WEATHER))
        .addTools(Tool.newBuilder().setName("get_time").setJson(TIME));
  }

  private static Generation.Builder greedyChat(ChatPrompt.Builder chat) {
    return greedy("").setChat(chat);
  }

  @Test
  void callsAToolAndUsesItsResult() {
    ChatPrompt.Builder chat = withTools("What is the weather in Sofia?");
    Answer answer = engine.ask(greedyChat(chat).build());
    assertThat(answer.text()).isEmpty();
    assertThat(answer.toolCalls()).hasSize(1);
    ToolCall call = answer.toolCalls().getFirst();
    assertThat(call.getName()).isEqualTo("get_weather");
    assertThat(call.getArguments()).isEqualTo("{\"city\": \"Sofia\"}");
    assertThat(answer.last().getFinished().getReason())
        .isEqualTo(Finished.Reason.REASON_TOOL_CALLS);
    chat.addMessages(
            ChatMessage.newBuilder().setRole(ChatMessage.Role.ROLE_ASSISTANT).addToolCalls(call))
        .addMessages(
            message(ChatMessage.Role.ROLE_TOOL, "sunny, 24 C").toBuilder()
                .setToolCallId(call.getId())
                .setName("get_weather"));
    Answer used = engine.ask(greedyChat(chat).build());
    assertThat(used.text()).contains("Sofia").contains("sunny, 24 C");
    // The conversation goes on where its state was kept.
    assertThat(used.cachedTokens()).isGreaterThanOrEqualTo(answer.promptTokens());
  }

  @Test
  void callsTheToolThatIsNamedAndNoneWhenToldSo() {
    ChatPrompt.Builder named = withTools("What is the weather in Sofia?");
    named.setToolChoice(
        ToolChoice.newBuilder().setMode(ToolChoice.Mode.MODE_NAMED).setName("get_time"));
    Answer answer = engine.ask(greedyChat(named).build());
    assertThat(answer.toolCalls()).hasSize(1);
    assertThat(answer.toolCalls().getFirst().getName()).isEqualTo("get_time");
    ChatPrompt.Builder required = withTools("Hello");
    required.setToolChoice(ToolChoice.newBuilder().setMode(ToolChoice.Mode.MODE_REQUIRED));
    assertThat(engine.ask(greedyChat(required).build()).toolCalls()).hasSize(1);
    ChatPrompt.Builder none = withTools("What is the weather in Sofia?");
    none.setToolChoice(ToolChoice.newBuilder().setMode(ToolChoice.Mode.MODE_NONE));
    Answer without = engine.ask(greedyChat(none).build());
    assertThat(without.toolCalls()).isEmpty();
    assertThat(without.text()).isNotEmpty();
  }

  @Test
  void answersFromAContext() {
    Answer answer =
        engine.ask("Context: The printer is in room 27.\n\nQuestion: Where is the printer?");
    assertThat(answer.text()).contains("in room 27");
  }

  @Test
  void writesJsonUnderASchema() throws IOException {
    for (String question :
        List.of("JSON please: Ana is 31 and lives in Sofia.", "Hello", "Name the planets.")) {
      Answer answer = engine.ask(greedy(question).setJsonSchema(PERSON).build());
      assertThat(answer.last().getFinished().getReason()).isEqualTo(Finished.Reason.REASON_STOP);
      JsonNode person = JSON.readTree(answer.text());
      assertThat(person.get("name").isTextual()).isTrue();
      assertThat(person.get("age").isIntegralNumber()).isTrue();
      assertThat(person.get("city").isTextual()).isTrue();
    }
    Answer ana =
        engine.ask(
            greedy("JSON please: Ana is 31 and lives in Sofia.").setJsonSchema(PERSON).build());
    assertThat(JSON.readTree(ana.text()).get("name").asText()).isEqualTo("Ana");
    Answer any =
        engine.ask(
            greedy("JSON please: Ana is 31 and lives in Sofia.")
                .setJsonObject(JsonObject.getDefaultInstance())
                .build());
    assertThat(JSON.readTree(any.text()).isObject()).isTrue();
  }

  @Test
  void followsAGrammar() {
    Answer answer =
        engine.ask(
            greedy("What is the capital of France?")
                .setGrammar("root ::= \"London\" | \"Madrid\"")
                .build());
    assertThat(answer.text()).isIn("London", "Madrid");
  }

  static Stream<Generation> refused() {
    Generation.Builder hello = greedy("Hello");
    ChatPrompt.Builder wrongTool =
        withTools("Hello").addTools(Tool.newBuilder().setName("x").setJson("{"));
    ChatPrompt.Builder unknownChoice =
        withTools("Hello")
            .setToolChoice(
                ToolChoice.newBuilder().setMode(ToolChoice.Mode.MODE_NAMED).setName("y"));
    ChatPrompt.Builder twice =
        withTools("Hello").addTools(Tool.newBuilder().setName("get_time").setJson(TIME));
    return Stream.of(
        hello.clone().setGrammar("root ::= (").build(),
        hello.clone().setGrammar("").build(),
        hello.clone().setJsonSchema("{\"type\": \"nonsense\"}").build(),
        hello.clone().setJsonSchema("not json").build(),
        hello.clone().setTopLogprobs(21).build(),
        greedyChat(wrongTool).build(),
        greedyChat(unknownChoice).build(),
        greedyChat(twice).build(),
        greedyChat(withTools("Hello")).setJsonSchema(PERSON).build(),
        hello
            .clone()
            .setSampling(
                Sampling.newBuilder()
                    .addLogitBias(LogitBias.newBuilder().setToken(1).setBias(Float.NaN)))
            .build());
  }

  @ParameterizedTest
  @MethodSource("refused")
  void whatCannotBeDoneIsRefusedInOneSentence(Generation generation) {
    Failure failure = engine.ask(generation).last().getFailed();
    assertThat(failure.getCode()).isEqualTo(Failure.Code.CODE_INVALID_REQUEST);
    assertThat(failure.getMessage()).isNotEmpty().doesNotContain("\n").doesNotContain("Exception");
  }

  @Test
  void theParameterThatIsWrongIsNamed() {
    Generation.Builder hello = greedy("Hello");
    ChatPrompt.Builder wrongTool =
        withTools("Hello").addTools(Tool.newBuilder().setName("x").setJson("{"));
    ChatPrompt.Builder wrongParameters =
        ChatPrompt.newBuilder()
            .addMessages(message(ChatMessage.Role.ROLE_USER, "Hello"))
            .addTools(
                Tool.newBuilder().setName("get_time").setJson(TIME.replace("object", "nonsense")))
            .setToolChoice(ToolChoice.newBuilder().setMode(ToolChoice.Mode.MODE_REQUIRED));
    Sampling unknownToken =
        Sampling.newBuilder()
            .addLogitBias(LogitBias.newBuilder().setToken(1_000_000).setBias(1))
            .build();
    assertWrong("grammar", hello.clone().setGrammar("root ::= ("));
    assertWrong("response_format", hello.clone().setJsonSchema("{\"type\": \"nonsense\"}"));
    assertWrong("response_format", greedyChat(withTools("Hello")).setJsonSchema("{}"));
    assertWrong("tools", greedyChat(wrongTool));
    assertWrong("tools", greedyChat(wrongParameters));
    assertWrong("logit_bias", hello.clone().setSampling(unknownToken));
    assertWrong("prompt", greedy("word ".repeat(2_000)));
    assertWrong("", hello.clone().setTopLogprobs(21));
  }

  private static void assertWrong(String parameter, Generation.Builder generation) {
    assertThat(engine.ask(generation.build()).last().getFailed().getParameter())
        .isEqualTo(parameter);
  }
}
