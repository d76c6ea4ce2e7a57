package dev.cloister.coordinator.gateway;

import static dev.cloister.coordinator.gateway.TestGateway.CHAT;
import static dev.cloister.coordinator.gateway.TestGateway.COMPLETIONS;
import static dev.cloister.coordinator.gateway.TestGateway.HELLO;
import static dev.cloister.coordinator.gateway.TestGateway.HELLO_STREAM;
import static dev.cloister.coordinator.gateway.TestGateway.chunks;
import static dev.cloister.coordinator.gateway.TestGateway.json;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.cloister.coordinator.fakes.FakeNodeSession;
import dev.cloister.coordinator.inference.Generation;
import dev.cloister.coordinator.inference.GenerationEvent.Failed;
import dev.cloister.coordinator.inference.GenerationEvent.FailureCode;
import dev.cloister.coordinator.inference.GenerationEvent.FinishReason;
import dev.cloister.coordinator.inference.GenerationEvent.Finished;
import dev.cloister.coordinator.inference.GenerationEvent.Started;
import dev.cloister.coordinator.inference.GenerationEvent.TextDelta;
import dev.cloister.coordinator.inference.GenerationEvent.Usage;
import dev.cloister.coordinator.inference.prompt.AnswerFormat;
import dev.cloister.coordinator.inference.prompt.ChatMessage;
import dev.cloister.coordinator.inference.prompt.Prompt;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OpenAiAnswersTest {
  @AutoClose private final TestGateway gateway;

  OpenAiAnswersTest(@TempDir Path directory) throws Exception {
    gateway = new TestGateway(directory);
  }

  @Test
  void aChatIsAnsweredAsOneObject() throws Exception {
    HttpResponse<String> response = gateway.post(CHAT, HELLO);
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(header(response, "content-type")).isEqualTo("application/json; charset=utf-8");
    assertThat(header(response, "x-cloister-node")).isEqualTo("desk");
    String requestId = header(response, "x-request-id");
    assertThat(requestId).matches("req-[0-9a-f]{32}");
    assertThat(header(response, "x-cloister-request")).isEqualTo(requestId);
    assertThat(json(response.body()))
        .isEqualTo(
            json(
                """
                {"id": "chatcmpl-%s", "object": "chat.completion", "created": 1767225600,
                 "model": "tiny", "choices": [{"index": 0,
                   "message": {"role": "assistant", "content": "Hello world", "refusal": null},
                   "logprobs": null, "finish_reason": "stop"}],
                 "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9,
                   "prompt_tokens_details": {"cached_tokens": 0}}}
                """
                    .formatted(requestId)));
  }

  @Test
  void aCompletionIsAnsweredAsOneObject() throws Exception {
    HttpResponse<String> response =
        gateway.post(COMPLETIONS, "{\"model\":\"tiny\",\"prompt\":[\"once\"]}");
    assertThat(json(response.body()))
        .isEqualTo(
            json(
                """
                {"id": "cmpl-%s", "object": "text_completion", "created": 1767225600,
                 "model": "tiny", "choices": [{"index": 0, "text": "Hello world",
                   "logprobs": null, "finish_reason": "stop"}],
                 "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9,
                   "prompt_tokens_details": {"cached_tokens": 0}}}
                """
                    .formatted(header(response, "x-request-id"))));
    Generation generation = gateway.session.starts().getFirst().generation();
    assertThat(generation.prompt()).isEqualTo(new Prompt.Text("once"));
    assertThat(generation.maxTokens()).isEqualTo(16);
  }

  @Test
  void aChatIsStreamedAsServerSentEvents() throws Exception {
    HttpResponse<String> response = gateway.post(CHAT, HELLO_STREAM);
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(header(response, "content-type")).isEqualTo("text/event-stream; charset=utf-8");
    assertThat(header(response, "x-cloister-node")).isEqualTo("desk");
    String head =
        "{\"id\":\"chatcmpl-%s\",\"object\":\"chat.completion.chunk\",\"created\":1767225600,"
            .formatted(header(response, "x-request-id"));
    assertThat(response.body()).startsWith("data: " + head + "\"model\":\"tiny\",");
    List<JsonNode> chunks = chunks(response.body());
    assertThat(chunks)
        .extracting(chunk -> chunk.path("choices").toString())
        .containsExactly(
            choice("{\"role\":\"assistant\",\"content\":\"\"}", "null"),
            choice("{\"content\":\"Hello\"}", "null"),
            choice("{\"content\":\" world\"}", "null"),
            choice("{}", "\"stop\""));
    assertThat(chunks).noneMatch(chunk -> chunk.has("usage"));
  }

  @Test
  void aCompletionIsStreamedAsServerSentEvents() throws Exception {
    HttpResponse<String> response =
        gateway.post(COMPLETIONS, "{\"model\":\"tiny\",\"prompt\":\"once\",\"stream\":true}");
    assertThat(chunks(response.body()))
        .extracting(chunk -> chunk.path("choices").get(0).path("text").asText())
        .containsExactly("Hello", " world", "");
    assertThat(chunks(response.body()))
        .allMatch(chunk -> chunk.path("object").asText().equals("text_completion"));
  }

  @Test
  void theUsageChunkComesLastAndOnlyWhenAskedFor() throws Exception {
    String body =
        HELLO_STREAM.replace(
            "{\"stream\"", "{\"stream_options\":{\"include_usage\":true},\"stream\"");
    List<JsonNode> chunks = chunks(gateway.post(CHAT, body).body());
    assertThat(chunks).hasSize(5);
    assertThat(chunks.getLast().path("choices")).isEmpty();
    assertThat(chunks.getLast().path("choices").isArray()).isTrue();
    assertThat(chunks.getLast().path("usage"))
        .isEqualTo(
            json(
                "{\"prompt_tokens\":7,\"completion_tokens\":2,\"total_tokens\":9,"
                    + "\"prompt_tokens_details\":{\"cached_tokens\":0}}"));
  }

  @Test
  void everyFieldReachesTheNode() throws Exception {
    gateway.post(
        CHAT,
        """
        {"model": "tiny", "messages": [
           {"role": "system", "content": "be kind"}, {"role": "developer", "content": "and short"},
           {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
           {"role": "assistant", "content": "c"}, {"role": "tool", "content": "d"}],
         "temperature": 0.5, "top_p": 0.9, "top_k": 40, "min_p": 0.1, "seed": 42,
         "frequency_penalty": -1, "presence_penalty": 2, "typical_p": 0.7, "repeat_penalty": 1.1,
         "repeat_last_n": 32, "logit_bias": {"5": -100, "7": 2.5}, "grammar": "root ::= [a-z]+",
         "logprobs": true, "top_logprobs": 3, "max_completion_tokens": 9,
         "stop": ["x", "y"], "n": 1, "tools": [], "user": "somebody", "response_format": {"type": "text"}}
        """);
    Generation generation = gateway.session.starts().getFirst().generation();
    assertThat(((Prompt.Chat) generation.prompt()).messages())
        .containsExactly(
            new ChatMessage(ChatMessage.Role.SYSTEM, "be kind"),
            new ChatMessage(ChatMessage.Role.SYSTEM, "and short"),
            new ChatMessage(ChatMessage.Role.USER, "ab"),
            new ChatMessage(ChatMessage.Role.ASSISTANT, "c"),
            new ChatMessage(ChatMessage.Role.TOOL, "d"));
    assertThat(generation.maxTokens()).isEqualTo(9);
    assertThat(generation.stop()).containsExactly("x", "y");
    assertThat(generation.sampling().temperature()).isEqualTo(OptionalDouble.of(0.5));
    assertThat(generation.sampling().topK()).isEqualTo(OptionalInt.of(40));
    assertThat(generation.sampling().seed()).isEqualTo(OptionalLong.of(42));
    assertThat(generation.sampling().frequencyPenalty()).isEqualTo(OptionalDouble.of(-1));
    assertThat(generation.sampling().typicalP()).isEqualTo(OptionalDouble.of(0.7));
    assertThat(generation.sampling().repeatPenalty()).isEqualTo(OptionalDouble.of(1.1));
    assertThat(generation.sampling().repeatLastN()).isEqualTo(OptionalInt.of(32));
    assertThat(generation.sampling().logitBias()).isEqualTo(Map.of(5, -100f, 7, 2.5f));
    assertThat(generation.format()).isEqualTo(new AnswerFormat.Grammar("root ::= [a-z]+"));
    assertThat(generation.topLogprobs()).isEqualTo(OptionalInt.of(3));
  }

  @Test
  void aLimitThatWasReachedIsSaid() throws Exception {
    gateway.script(
        start -> {
          start.send(new Started(1, 0, "desk"));
          start.send(new Finished(FinishReason.LENGTH, new Usage(1, 0, 0)));
        });
    assertThat(gateway.post(CHAT, HELLO).body()).contains("\"finish_reason\":\"length\"");
    assertThat(gateway.post(CHAT, HELLO_STREAM).body()).contains("\"finish_reason\":\"length\"");
  }

  @Test
  void charactersOfAllKindsComeThroughWhole() throws Exception {
    String text = "Zoë \uD83D\uDC69\u200D\uD83D\uDE80 日本 \"quoted\" \\ \n\t\u0001\u2028";
    gateway.script(
        start -> {
          start.send(new Started(1, 0, "desk"));
          text.codePoints().forEach(point -> start.send(new TextDelta(Character.toString(point))));
          start.send(new Finished(FinishReason.STOP, new Usage(1, 0, 1)));
        });
    assertThat(
            json(gateway.post(CHAT, HELLO).body())
                .path("choices")
                .get(0)
                .path("message")
                .path("content")
                .asText())
        .isEqualTo(text);
    StringBuilder streamed = new StringBuilder();
    for (JsonNode chunk : chunks(gateway.post(CHAT, HELLO_STREAM).body())) {
      streamed.append(chunk.path("choices").get(0).path("delta").path("content").asText());
    }
    assertThat(streamed.toString()).isEqualTo(text);
  }

  @Test
  void aFailureInTheMiddleOfAStreamIsAnErrorEvent() throws Exception {
    gateway.script(
        start -> {
          start.send(new Started(1, 0, "desk"));
          start.send(new TextDelta("Hel"));
          start.send(FakeNodeSession.lost());
        });
    HttpResponse<String> response = gateway.post(CHAT, HELLO_STREAM);
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.body())
        .endsWith(
            "data: {\"error\":{\"message\":\"the node was lost\",\"type\":\"server_error\","
                + "\"param\":null,\"code\":\"node_lost\"}}\n\n");
  }

  @Test
  void aFailureBeforeTheStreamHasAStatusOfItsOwn() throws Exception {
    gateway.script(
        start -> start.send(new Failed(FailureCode.CONTEXT_LENGTH_EXCEEDED, "9 of 8 tokens")));
    for (String body : List.of(HELLO, HELLO_STREAM)) {
      HttpResponse<String> response = gateway.post(CHAT, body);
      assertThat(response.statusCode()).isEqualTo(400);
      assertThat(response.body())
          .isEqualTo(
              "{\"error\":{\"message\":\"9 of 8 tokens\",\"type\":\"invalid_request_error\","
                  + "\"param\":\"messages\",\"code\":\"context_length_exceeded\"}}");
    }
    assertThat(
            TestGateway.error(gateway.post(COMPLETIONS, "{\"model\":\"tiny\",\"prompt\":\"once\"}"))
                .path("param")
                .asText())
        .isEqualTo("prompt");
  }

  @Test
  void whatOnlyTheEngineFindsIsToldWithTheParameterThatIsWrong() throws Exception {
    String text = "{\"model\":\"tiny\",\"prompt\":\"once\"}";
    gateway.script(start -> start.send(Failed.invalid("logit_bias", "token 9")));
    assertThat(param(CHAT, HELLO)).isEqualTo("logit_bias");
    gateway.script(start -> start.send(Failed.invalid("prompt", "the template refuses it")));
    assertThat(param(CHAT, HELLO)).isEqualTo("messages");
    assertThat(param(COMPLETIONS, text)).isEqualTo("prompt");
    gateway.script(start -> start.send(new Failed(FailureCode.INVALID_REQUEST, "wrong")));
    assertThat(param(CHAT, HELLO)).isNull();
  }

  private @Nullable String param(String path, String body) throws Exception {
    HttpResponse<String> response = gateway.post(path, body);
    assertThat(response.statusCode()).isEqualTo(400);
    return TestGateway.error(response).path("param").textValue();
  }

  @Test
  void noCapacityIsToBeTriedAgain() throws Exception {
    gateway.world.lose(gateway.node, gateway.session);
    HttpResponse<String> response = gateway.post(CHAT, HELLO_STREAM);
    assertThat(response.statusCode()).isEqualTo(503);
    assertThat(header(response, "retry-after")).isEqualTo("2");
    assertThat(TestGateway.error(response).path("code").asText()).isEqualTo("no_capacity");
  }

  @Test
  void aDefectOfAnEngineIsAnInternalError() throws Exception {
    gateway.script(start -> start.send(new Failed(FailureCode.INTERNAL, "the engine failed")));
    HttpResponse<String> response = gateway.post(CHAT, HELLO);
    assertThat(response.statusCode()).isEqualTo(500);
    assertThat(TestGateway.error(response).path("code").asText()).isEqualTo("internal_error");
  }

  @Test
  void theModelsAreListedAndFoundByName() throws Exception {
    String tiny = "{\"id\":\"tiny\",\"object\":\"model\",\"created\":0,\"owned_by\":\"cloister\"}";
    String big = tiny.replace("tiny", "org/big:v1");
    assertThat(gateway.get("/v1/models").body())
        .isEqualTo("{\"object\":\"list\",\"data\":[" + big + "," + tiny + "]}");
    assertThat(gateway.get("/v1/models/tiny").body()).isEqualTo(tiny);
    assertThat(gateway.get("/v1/models/org/big:v1").body()).isEqualTo(big);
    assertThat(gateway.get("/v1/models/org%2Fbig%3Av1").body()).isEqualTo(big);
    HttpResponse<String> missing = gateway.get("/v1/models/no%F0%9F%9A%80such");
    assertThat(missing.statusCode()).isEqualTo(404);
    assertThat(TestGateway.error(missing).path("code").asText()).isEqualTo("model_not_found");
    assertThat(gateway.get("/v1/models/%25zz").statusCode()).isEqualTo(404);
  }

  private static String header(HttpResponse<?> response, String name) {
    return response.headers().firstValue(name).orElse("");
  }

  private static String choice(String delta, String reason) {
    return "[{\"index\":0,\"delta\":%s,\"logprobs\":null,\"finish_reason\":%s}]"
        .formatted(delta, reason);
  }
}
