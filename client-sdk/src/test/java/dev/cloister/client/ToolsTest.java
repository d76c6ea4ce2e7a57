package dev.cloister.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.cloister.proto.inference.v1.ChatMessage.Role;
import dev.cloister.proto.inference.v1.Generation;
import dev.cloister.proto.inference.v1.Generation.FormatCase;
import dev.cloister.proto.inference.v1.ToolChoice.Mode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tools, formats and probabilities, to the cluster and back. */
@Timeout(30)
class ToolsTest {
  private static final Tool WEATHER =
      Tool.of("weather", "Tells the \"weather\".\n", "{\"type\": \"object\", \"a\": 1}");

  private final FakeCluster cluster;
  private final CloisterClient client;

  ToolsTest(@TempDir Path directory) throws IOException {
    cluster = new FakeCluster(directory);
    CloisterClient.join(cluster.token(), directory.resolve("client"), "my-laptop");
    client = CloisterClient.open(directory.resolve("client"));
  }

  @AfterEach
  void stop() {
    client.close();
    cluster.close();
  }

  @Test
  void toolsAreDescribedAsModelsKnowThem() {
    Generation sent =
        sent(
            ChatRequest.builder("tiny")
                .system("Be brief.")
                .user("Rain?")
                .tool(WEATHER)
                .tool(Tool.of("time", "Tells the time."))
                .toolChoice(Tool.Choice.named("weather"))
                .build());
    assertThat(sent.getChat().getTools(0).getName()).isEqualTo("weather");
    assertThat(sent.getChat().getTools(0).getJson())
        .isEqualTo(
            "{\"type\": \"function\", \"function\": {\"name\": \"weather\", \"description\":"
                + " \"Tells the \\\"weather\\\".\\u000a\", \"parameters\":"
                + " {\"type\": \"object\", \"a\": 1}}}");
    assertThat(sent.getChat().getTools(1).getJson())
        .endsWith("\"parameters\": {\"type\": \"object\", \"properties\": {}}}}");
    assertThat(sent.getChat().getToolChoice().getMode()).isEqualTo(Mode.MODE_NAMED);
    assertThat(sent.getChat().getToolChoice().getName()).isEqualTo("weather");
  }

  @Test
  void everyToolChoiceIsSent() {
    assertThat(
            List.of(Tool.Choice.auto(), Tool.Choice.none(), Tool.Choice.required()).stream()
                .map(choice -> sent(question().tool(WEATHER).toolChoice(choice).build()))
                .map(sent -> sent.getChat().getToolChoice().getMode()))
        .containsExactly(Mode.MODE_UNSPECIFIED, Mode.MODE_NONE, Mode.MODE_REQUIRED);
  }

  @Test
  void everyFormatIsSent() {
    assertThat(
            List.of(
                    AnswerFormat.text(),
                    AnswerFormat.json(),
                    AnswerFormat.jsonSchema("{}"),
                    AnswerFormat.grammar("root ::= x"))
                .stream()
                .map(format -> sent(question().format(format).build()).getFormatCase()))
        .containsExactly(
            FormatCase.FORMAT_NOT_SET,
            FormatCase.JSON_OBJECT,
            FormatCase.JSON_SCHEMA,
            FormatCase.GRAMMAR);
  }

  @Test
  void callsReasoningAndProbabilitiesAreInTheWholeAnswer() {
    ChatResponse answer =
        client.chat(ChatRequest.builder("calls").user("?").topLogprobs(1).build());
    assertThat(answer.end()).isEqualTo(ChatResponse.End.TOOL_CALLS);
    assertThat(answer.truncated()).isFalse();
    assertThat(answer.text()).isEqualTo("Well");
    assertThat(answer.reasoning()).isEqualTo("hm, hm");
    assertThat(answer.toolCalls())
        .containsExactly(
            new Tool.Call("a", "weather", "{\"city\": \"Bonn\"}"),
            new Tool.Call("b", "time", "{}"));
    assertThat(answer.logprobs()).extracting(TokenLogprob::text).containsExactly("\uFFFD", "Well");
    assertThat(answer.logprobs().getLast().probability()).isCloseTo(0.5, within(1e-6));
    assertThat(answer.logprobs().getLast().alternatives()).hasSize(1);
    assertThat(cluster.requests.getLast().getGeneration().getTopLogprobs()).isEqualTo(1);
  }

  @Test
  void whatTheModelThinksIsNoPieceOfItsAnswer() {
    try (ChatStream stream = client.stream(ChatRequest.of("calls", "?"))) {
      assertThat(stream.next()).isEqualTo("Well");
      assertThat(stream.hasNext()).isFalse();
    }
  }

  @Test
  void aConversationGoesOnWithWhatToolsSaid() {
    ChatRequest request = ChatRequest.builder("calls").user("Rain?").tool(WEATHER).build();
    ChatResponse answer = client.chat(request);
    ChatRequest.Builder next = request.toBuilder().message(answer.message());
    for (Tool.Call call : answer.toolCalls()) {
      next.message(ChatMessage.toolResult(call, "no"));
    }
    var messages = sent(next.build()).getChat().getMessagesList();
    assertThat(messages)
        .extracting(message -> message.getRole())
        .containsExactly(Role.ROLE_USER, Role.ROLE_ASSISTANT, Role.ROLE_TOOL, Role.ROLE_TOOL);
    assertThat(messages.get(1).getToolCalls(0).getArguments()).isEqualTo("{\"city\": \"Bonn\"}");
    assertThat(messages.get(1).getReasoning()).isEqualTo("hm, hm");
    assertThat(messages.get(2).getToolCallId()).isEqualTo("a");
    assertThat(messages.get(2).getName()).isEqualTo("weather");
    assertThat(messages.get(3).getToolCallId()).isEqualTo("b");
  }

  @Test
  void aChangedCopyKeepsEverythingElse() {
    ChatRequest request =
        question()
            .tool(WEATHER)
            .toolChoice(Tool.Choice.required())
            .format(AnswerFormat.json())
            .topLogprobs(3)
            .seed(1)
            .temperature(0)
            .maxTokens(5)
            .build();
    assertThat(request.toBuilder().build()).isEqualTo(request);
    assertThat(request.withMaxTokens(6).withMaxTokens(5)).isEqualTo(request);
  }

  @Test
  void valuesOutOfRangeAreRefused() {
    assertThatThrownBy(() -> question().topLogprobs(21).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("topLogprobs: 21 (expected: 0 to 20)");
    assertThatThrownBy(() -> ChatRequest.builder("tiny").build())
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Tool.of("", "?")).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Tool.of("f", "?", " ")).isInstanceOf(IllegalArgumentException.class);
  }

  private static ChatRequest.Builder question() {
    return ChatRequest.builder("tiny").user("?");
  }

  private Generation sent(ChatRequest request) {
    client.chat(request);
    return cluster.requests.getLast().getGeneration();
  }
}
