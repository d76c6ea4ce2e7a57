package dev.cloister.coordinator.gateway;

import static dev.cloister.coordinator.gateway.TestGateway.CHAT;
import static dev.cloister.coordinator.gateway.TestGateway.COMPLETIONS;
import static dev.cloister.coordinator.gateway.TestGateway.HELLO;
import static dev.cloister.coordinator.gateway.TestGateway.HELLO_STREAM;
import static dev.cloister.coordinator.gateway.TestGateway.chunks;
import static dev.cloister.coordinator.gateway.TestGateway.json;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.cloister.coordinator.fakes.FakeNodeSession.Start;
import dev.cloister.coordinator.inference.Generation;
import dev.cloister.coordinator.inference.GenerationEvent.FinishReason;
import dev.cloister.coordinator.inference.GenerationEvent.Finished;
import dev.cloister.coordinator.inference.GenerationEvent.ReasoningDelta;
import dev.cloister.coordinator.inference.GenerationEvent.Started;
import dev.cloister.coordinator.inference.GenerationEvent.TextDelta;
import dev.cloister.coordinator.inference.GenerationEvent.ToolCallDelta;
import dev.cloister.coordinator.inference.GenerationEvent.Usage;
import dev.cloister.coordinator.inference.TokenLogprob;
import dev.cloister.coordinator.inference.prompt.AnswerFormat;
import dev.cloister.coordinator.inference.prompt.ChatMessage;
import dev.cloister.coordinator.inference.prompt.ChatMessage.Role;
import dev.cloister.coordinator.inference.prompt.Prompt;
import dev.cloister.coordinator.inference.prompt.Tool;
import dev.cloister.coordinator.inference.prompt.ToolCall;
import dev.cloister.coordinator.inference.prompt.ToolChoice;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tools, formats, reasoning and probabilities, there and back. */
class OpenAiToolsTest {
  /** With keys in an order of the caller's own. */
  private static final String WEATHER =
      "{\"type\":\"function\",\"function\":{\"name\":\"weather\",\"parameters\":{\"type\":\"object\","
          + "\"required\":[\"city\"],\"properties\":{\"city\":{\"type\":\"string\"},\"at\":{}}},\"description\":\"Says"
          + " \\\"rain\\\".\"}}";

  @AutoClose private final TestGateway gateway;

  OpenAiToolsTest(@TempDir Path directory) throws Exception {
    gateway = new TestGateway(directory);
  }

  @Test
  void toolsTravelWithTheCallersOwnOrderOfKeys() throws Exception {
    Prompt.Chat chat = (Prompt.Chat) asked(CHAT, HELLO, "\"tools\":[" + WEATHER + "]").prompt();
    assertThat(chat.tools()).containsExactly(new Tool("weather", WEATHER));
    assertThat(chat.toolChoice()).isEqualTo(new ToolChoice.Auto());
  }

  @Test
  void everyToolChoiceIsUnderstood() throws Exception {
    String tools = "\"tools\":[" + WEATHER + "],\"tool_choice\":";
    assertThat(choice(tools + "\"auto\"")).isEqualTo(new ToolChoice.Auto());
    assertThat(choice(tools + "\"none\"")).isEqualTo(new ToolChoice.None());
    assertThat(choice(tools + "\"required\"")).isEqualTo(new ToolChoice.Required());
    assertThat(choice(tools + "{\"type\":\"function\",\"function\":{\"name\":\"weather\"}}"))
        .isEqualTo(new ToolChoice.Named("weather"));
    assertThat(choice("\"tool_choice\":\"none\"")).isEqualTo(new ToolChoice.None());
  }

  @Test
  void aConversationWithCallsAndTheirResultsIsUnderstood() throws Exception {
    gateway.post(
        CHAT,
        """
        {"model": "tiny", "messages": [
          {"role": "user", "content": "Rain?"},
          {"role": "assistant", "content": null, "reasoning_content": "hm", "tool_calls": [
            {"id": "a", "type": "function",
             "function": {"name": "weather", "arguments": "{\\"city\\": \\"Bonn\\"}"}},
            {"id": "b", "type": "function", "function": {"name": "time", "arguments": ""}}]},
          {"role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "noon"}]},
          {"role": "tool", "tool_call_id": "a", "name": "forecast", "content": "no"}]}
        """);
    assertThat(((Prompt.Chat) lastAsked().prompt()).messages())
        .containsExactly(
            new ChatMessage(Role.USER, "Rain?"),
            new ChatMessage(
                Role.ASSISTANT,
                "",
                List.of(
                    new ToolCall("a", "weather", "{\"city\": \"Bonn\"}"),
                    new ToolCall("b", "time", "{}")),
                "",
                "",
                "hm"),
            new ChatMessage(Role.TOOL, "noon", List.of(), "b", "time", ""),
            new ChatMessage(Role.TOOL, "no", List.of(), "a", "forecast", ""));
  }

  @Test
  void callsAreToldAsOneObject() throws Exception {
    gateway.script(OpenAiToolsTest::callTwoTools);
    JsonNode choice = json(gateway.post(CHAT, HELLO).body()).path("choices").get(0);
    assertThat(choice.path("finish_reason").asText()).isEqualTo("tool_calls");
    assertThat(choice.path("message"))
        .isEqualTo(
            json(
                """
                {"role": "assistant", "content": null, "refusal": null,
                 "reasoning_content": "let me see", "tool_calls": [
                   {"id": "a", "type": "function",
                    "function": {"name": "weather", "arguments": "{\\"city\\": \\"Bonn\\"}"}},
                   {"id": "b", "type": "function",
                    "function": {"name": "time", "arguments": "{}"}}]}
                """));
  }

  @Test
  void callsAreStreamedAsOpenAiStreamsThem() throws Exception {
    gateway.script(OpenAiToolsTest::callTwoTools);
    assertThat(chunks(gateway.post(CHAT, HELLO_STREAM).body()))
        .extracting(chunk -> chunk.path("choices").get(0).path("delta"))
        .containsExactly(
            json("{\"role\": \"assistant\", \"content\": \"\"}"),
            json("{\"reasoning_content\": \"let me \"}"),
            json("{\"reasoning_content\": \"see\"}"),
            call(
                "{\"index\": 0, \"id\": \"a\", \"type\": \"function\", \"function\": {\"name\":"
                    + " \"weather\", \"arguments\": \"\"}}"),
            call("{\"index\": 0, \"function\": {\"arguments\": \"{\\\"city\\\": \"}}"),
            call("{\"index\": 0, \"function\": {\"arguments\": \"\\\"Bonn\\\"}\"}}"),
            call(
                "{\"index\": 1, \"id\": \"b\", \"type\": \"function\", \"function\": {\"name\":"
                    + " \"time\", \"arguments\": \"\"}}"),
            call("{\"index\": 1, \"function\": {\"arguments\": \"{}\"}}"),
            json("{}"));
    JsonNode last = chunks(gateway.post(CHAT, HELLO_STREAM).body()).getLast();
    assertThat(last.at("/choices/0/finish_reason").asText()).isEqualTo("tool_calls");
  }

  @Test
  void withoutParallelCallsOnlyTheFirstIsGivenOut() throws Exception {
    gateway.script(OpenAiToolsTest::callTwoTools);
    for (String body : List.of(HELLO, HELLO_STREAM)) {
      assertThat(gateway.post(CHAT, with(body, "\"parallel_tool_calls\":false")).body())
          .contains("\"weather\"", "\"finish_reason\":\"tool_calls\"")
          .doesNotContain("\"time\"");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {"type":"json_object"} | JsonObject[]
          {"type":"json_object","schema":{"b":1,"a":2}} | {"b":1,"a":2}
          {"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"b":1,"a":2}}} | {"b":1,"a":2}
          {"type":"text"} | Text[]
          """)
  void everyFormatIsUnderstood(String format, String expected) throws Exception {
    AnswerFormat asked = asked(CHAT, HELLO, "\"response_format\":" + format).format();
    assertThat(asked instanceof AnswerFormat.JsonSchema(String schema) ? schema : asked.toString())
        .isEqualTo(expected);
  }

  @Test
  void probabilitiesOfAChatAreToldWithBytesAndAlternatives() throws Exception {
    gateway.script(OpenAiToolsTest::sayEuroWithLogprobs);
    String expected =
        """
        {"content": [
           {"token": "\uFFFD", "logprob": -0.5, "bytes": [226, 130], "top_logprobs": [
             {"token": "\uFFFD", "logprob": -0.5, "bytes": [226, 130]},
             {"token": "\uFFFD", "logprob": -9999.0, "bytes": [226]}]},
           {"token": "\uFFFD", "logprob": -0.25, "bytes": [172], "top_logprobs": []}],
         "refusal": null}
        """;
    String asking = "\"logprobs\":true,\"top_logprobs\":2";
    assertThat(json(gateway.post(CHAT, with(HELLO, asking)).body()).at("/choices/0/logprobs"))
        .isEqualTo(json(expected));
    assertThat(lastAsked().topLogprobs()).isEqualTo(OptionalInt.of(2));
    JsonNode chunk = chunks(gateway.post(CHAT, with(HELLO_STREAM, asking)).body()).get(1);
    assertThat(chunk.at("/choices/0/delta/content").asText()).isEqualTo("€");
    assertThat(chunk.at("/choices/0/logprobs")).isEqualTo(json(expected));
  }

  @Test
  void probabilitiesOfACompletionAreToldInItsOwnForm() throws Exception {
    gateway.script(
        start -> {
          start.send(new Started(1, 0, "desk"));
          start.send(new TextDelta("a€", List.of(token("a", -1), token("€", -2))));
          start.send(new TextDelta("b", List.of(token("b", -3))));
          start.send(new Finished(FinishReason.STOP, new Usage(1, 0, 3)));
        });
    String body = "{\"model\":\"tiny\",\"prompt\":\"x\",\"logprobs\":1}";
    assertThat(json(gateway.post(COMPLETIONS, body).body()).at("/choices/0/logprobs"))
        .isEqualTo(
            json(
                """
                {"tokens": ["a", "€", "b"], "token_logprobs": [-1.0, -2.0, -3.0],
                 "top_logprobs": [{"a": -1.0}, {"€": -2.0}, {"b": -3.0}],
                 "text_offset": [0, 1, 2]}
                """));
    List<JsonNode> chunks = chunks(gateway.post(COMPLETIONS, with(body, "\"stream\":true")).body());
    assertThat(chunks.get(1).at("/choices/0/logprobs/text_offset")).isEqualTo(json("[2]"));
  }

  @Test
  void withoutAskingNoProbabilitiesAreAskedOfTheNode() throws Exception {
    assertThat(asked(CHAT, HELLO, "\"logprobs\":false,\"top_logprobs\":0").topLogprobs()).isEmpty();
    assertThat(asked(CHAT, HELLO, "\"logprobs\":true").topLogprobs()).hasValue(0);
  }

  @Test
  void cachedTokensAreCountedApart() throws Exception {
    gateway.script(
        start -> {
          start.send(new Started(9, 6, "desk"));
          start.send(new Finished(FinishReason.STOP, new Usage(9, 6, 1)));
        });
    assertThat(json(gateway.post(CHAT, HELLO).body()).at("/usage"))
        .isEqualTo(
            json(
                "{\"prompt_tokens\":9,\"completion_tokens\":1,\"total_tokens\":10,"
                    + "\"prompt_tokens_details\":{\"cached_tokens\":6}}"));
  }

  @Test
  void theTenantIsTheKeyWhateverTheRequestSays() throws Exception {
    gateway.post(CHAT, with(HELLO, "\"tenant\":\"key/other\",\"user\":\"other\""));
    assertThat(gateway.session.starts().getLast().request().tenant().name())
        .isEqualTo("key/" + gateway.keyId);
  }

  @Test
  void moreToolsOrBiasesThanAllowedAreTooMany() throws Exception {
    String tools =
        IntStream.rangeClosed(0, 128)
            .mapToObj("{\"type\":\"function\",\"function\":{\"name\":\"f%d\"}}"::formatted)
            .collect(Collectors.joining(",", "\"tools\":[", "]"));
    assertRefused(tools, "tools", "tools has 129 tools (expected: at most 128)");
    String biases =
        IntStream.rangeClosed(0, 1024)
            .mapToObj("\"%d\":1"::formatted)
            .collect(Collectors.joining(",", "\"logit_bias\":{", "}"));
    assertRefused(biases, "logit_bias", "logit_bias has 1025 tokens (expected: at most 1024)");
    assertThat(gateway.session.starts()).isEmpty();
  }

  private void assertRefused(String fields, String param, String message) throws Exception {
    JsonNode error = TestGateway.error(gateway.post(CHAT, with(HELLO, fields)));
    assertThat(error.path("param").asText()).isEqualTo(param);
    assertThat(error.path("message").asText()).isEqualTo(message);
  }

  private static void callTwoTools(Start start) {
    start.send(new Started(7, 0, "desk"));
    start.send(new ReasoningDelta("let me "));
    start.send(new ReasoningDelta("see"));
    start.send(new ToolCallDelta(0, "a", "weather", "{\"city\": "));
    start.send(new ToolCallDelta(0, "", "", "\"Bonn\"}"));
    start.send(new ToolCallDelta(1, "b", "time", ""));
    start.send(new ToolCallDelta(1, "", "", "{}"));
    start.send(new Finished(FinishReason.TOOL_CALLS, new Usage(7, 0, 9)));
  }

  private static void sayEuroWithLogprobs(Start start) {
    byte[] euro = "€".getBytes(UTF_8);
    TokenLogprob.Choice begins = new TokenLogprob.Choice(1, new byte[] {euro[0], euro[1]}, -0.5f);
    TokenLogprob.Choice unlikely =
        new TokenLogprob.Choice(2, new byte[] {euro[0]}, Float.NEGATIVE_INFINITY);
    TokenLogprob.Choice ends = new TokenLogprob.Choice(3, new byte[] {euro[2]}, -0.25f);
    start.send(new Started(1, 0, "desk"));
    start.send(
        new TextDelta(
            "€",
            List.of(
                new TokenLogprob(begins, List.of(begins, unlikely)),
                new TokenLogprob(ends, List.of()))));
    start.send(new Finished(FinishReason.STOP, new Usage(1, 0, 2)));
  }

  private static TokenLogprob token(String text, float logprob) {
    TokenLogprob.Choice token = new TokenLogprob.Choice(0, text.getBytes(UTF_8), logprob);
    return new TokenLogprob(token, List.of(token, token));
  }

  private static JsonNode call(String call) throws Exception {
    return json("{\"tool_calls\": [" + call + "]}");
  }

  private ToolChoice choice(String fields) throws Exception {
    return ((Prompt.Chat) asked(CHAT, HELLO, fields).prompt()).toolChoice();
  }

  private Generation asked(String path, String body, String fields) throws Exception {
    assertThat(gateway.post(path, with(body, fields)).statusCode()).isEqualTo(200);
    return lastAsked();
  }

  private Generation lastAsked() {
    return gateway.session.starts().getLast().generation();
  }

  private static String with(String body, String fields) {
    return "{" + fields + "," + body.substring(1);
  }
}
