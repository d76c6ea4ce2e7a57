package dev.cloister.coordinator.gateway;

import static dev.cloister.coordinator.gateway.TestGateway.CHAT;
import static dev.cloister.coordinator.gateway.TestGateway.COMPLETIONS;
import static dev.cloister.coordinator.gateway.TestGateway.HELLO;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests that are none, or for what is not there. */
@TestInstance(Lifecycle.PER_CLASS)
class OpenAiRequestsTest {
  @AutoClose private final TestGateway gateway;

  OpenAiRequestsTest(@TempDir Path directory) throws Exception {
    gateway = new TestGateway(directory);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "{",
        "{\"model\": }",
        "{'model': 1}",
        "not json",
        "[]",
        "null",
        "\"text\"",
        "{\"model\":\"tiny\"} {}",
        "{\"model\":\"tiny\"} x",
        "{\"model\":\"tiny\",\"model\":\"tiny\"}",
        "{\"\\uD800\":1,\"\\uD800\":2}",
        "{\"temperature\": NaN}",
        "{\"model\":\"\\q\"}",
        "{\"model\":\"a\nb\"}",
        "{\"seed\":1e}",
      })
  void whatIsNoJsonObjectIsRefusedInPlainWords(String body) throws Exception {
    gateway.assertRefused(CHAT, body, "null");
  }

  @Test
  void bytesThatAreNoTextAreRefused() throws Exception {
    byte[] bytes = {'{', '"', (byte) 0xff, (byte) 0xfe, '"', ':', '1', '}'};
    TestGateway.assertRefused(
        gateway.send(gateway.request(CHAT).POST(BodyPublishers.ofByteArray(bytes))), "null");
  }

  @Test
  void deepNestingIsRefusedQuickly() throws Exception {
    for (String open : new String[] {"[", "{\"a\":"}) {
      gateway.assertRefused(CHAT, open.repeat(100_000), "null");
      gateway.assertRefused(CHAT, "{\"messages\":" + open.repeat(100_000), "null");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"other", "it's \\\"q\\\"\\n\uD83D\uDE80", "\\uD800", "", "../tiny"})
  void anUnknownModelIsNotFoundWhateverItsName(String name) throws Exception {
    HttpResponse<String> response = gateway.post(CHAT, HELLO.replace("tiny", name));
    assertThat(response.statusCode()).isEqualTo(404);
    JsonNode error = TestGateway.error(response);
    assertThat(error.path("code").asText()).isEqualTo("model_not_found");
    assertThat(error.path("param").asText()).isEqualTo("model");
    assertThat(error.path("message").asText()).startsWith("the model '").doesNotContain("\n");
  }

  @Test
  void aVeryLongModelNameIsNotEchoedWhole() throws Exception {
    HttpResponse<String> response =
        gateway.post(CHAT, HELLO.replace("tiny", "x".repeat(1_000_000)));
    assertThat(response.statusCode()).isEqualTo(404);
    assertThat(response.body()).hasSizeLessThan(500);
    assertThat(gateway.get("/v1/models/" + "x".repeat(2_000)).body()).hasSizeLessThan(500);
  }

  @Test
  void pathsAndMethodsThatAreNotThereAreSaid() throws Exception {
    assertStatus(gateway.get("/"), 404);
    assertStatus(gateway.get("/v1/chat"), 404);
    assertStatus(gateway.post("/v1/embeddings", "{}"), 404);
    assertStatus(gateway.get(CHAT), 405);
    assertStatus(gateway.get(COMPLETIONS), 405);
    assertStatus(gateway.post("/v1/models", "{}"), 405);
    assertStatus(gateway.send(gateway.request("/v1/models/tiny").DELETE()), 405);
  }

  @Test
  void aBodyOverEightMebibytesIsTooLarge() throws Exception {
    byte[] large = "x".repeat((8 << 20) + 1).getBytes(StandardCharsets.UTF_8);
    assertStatus(gateway.send(gateway.request(CHAT).POST(BodyPublishers.ofByteArray(large))), 413);
    // Without a length, so that only counting shows it.
    HttpRequest.Builder chunked =
        gateway
            .request(CHAT)
            .POST(BodyPublishers.fromPublisher(BodyPublishers.ofByteArrays(List.of(large))));
    assertStatus(gateway.send(chunked), 413);
    String content = "x".repeat((8 << 20) - 200);
    assertThat(gateway.post(CHAT, HELLO.replace("hi", content)).statusCode()).isEqualTo(200);
  }

  private static void assertStatus(HttpResponse<String> response, int status) throws Exception {
    assertThat(response.statusCode()).isEqualTo(status);
    assertThat(TestGateway.error(response).path("message").asText()).isNotEmpty();
    assertThat(response.headers().firstValue("content-type"))
        .hasValue("application/json; charset=utf-8");
  }
}
