package dev.cloister.coordinator.gateway;

import static dev.cloister.coordinator.gateway.TestGateway.CHAT;
import static dev.cloister.coordinator.gateway.TestGateway.HELLO;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.cloister.coordinator.labels.Labels;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;

/** Who is answered, and who is told why not. */
@TestInstance(Lifecycle.PER_CLASS)
class OpenAiKeysTest {
  @AutoClose private final TestGateway gateway;

  OpenAiKeysTest(@TempDir Path directory) throws Exception {
    gateway = new TestGateway(directory);
  }

  @Test
  void bothWaysToSendAKeyAreTaken() throws Exception {
    assertThat(send("x-api-key", gateway.key).statusCode()).isEqualTo(200);
    assertThat(send("Authorization", "bearer " + gateway.key).statusCode()).isEqualTo(200);
  }

  @Test
  void withoutAGoodKeyNothingIsAnswered() throws Exception {
    String wrong = "sk-cloister-" + "A".repeat(43);
    for (HttpResponse<String> response :
        List.of(
            send("x-api-key", wrong),
            send("authorization", "Bearer " + wrong),
            send("authorization", "Bearer"),
            send("authorization", "Basic " + gateway.key),
            send("x-other", gateway.key))) {
      assertThat(response.statusCode()).isEqualTo(401);
      JsonNode error = TestGateway.error(response);
      assertThat(error.path("type").asText()).isEqualTo("invalid_request_error");
      assertThat(error.path("code").asText()).isEqualTo("invalid_api_key");
      assertThat(error.path("message").asText()).isNotEmpty().doesNotContain(wrong);
    }
    assertThat(gateway.send(HttpRequest.newBuilder(gateway.uri("/v1/models"))).statusCode())
        .isEqualTo(401);
    assertThat(gateway.send(HttpRequest.newBuilder(gateway.uri("/healthz"))).body())
        .isEqualTo("{\"status\":\"ok\"}");
  }

  @Test
  void aKeyWhoseLabelsNoNodeHasIsRefusedForGood() throws Exception {
    var made = gateway.apiKeys.create("payroll", Labels.of(Map.of("class", "server")), 1);
    int started = gateway.session.starts().size();
    HttpResponse<String> refused =
        gateway.send(
            HttpRequest.newBuilder(gateway.uri("/v1/chat/completions"))
                .header("x-api-key", made.key())
                .POST(HttpRequest.BodyPublishers.ofString(TestGateway.HELLO)));
    assertThat(refused.statusCode()).isEqualTo(403);
    assertThat(refused.headers().firstValue("x-should-retry")).hasValue("false");
    assertThat(TestGateway.error(refused).path("code").asText()).isEqualTo("not_allowed");
    assertThat(gateway.session.starts()).hasSize(started);

    gateway.world.fleet.label(gateway.node, Map.of("class", "server"), List.of());
    assertThat(send("x-api-key", made.key()).statusCode()).isEqualTo(200);
  }

  @Test
  void aRevokedKeyIsRefusedAtOnce() throws Exception {
    var made = gateway.apiKeys.create("short-lived");
    assertThat(send("x-api-key", made.key()).statusCode()).isEqualTo(200);
    gateway.apiKeys.revoke(made.id());
    assertThat(send("x-api-key", made.key()).statusCode()).isEqualTo(401);
  }

  private HttpResponse<String> send(String header, String value) throws Exception {
    return gateway.send(
        HttpRequest.newBuilder(gateway.uri(CHAT))
            .timeout(Duration.ofSeconds(20))
            .header(header, value)
            .POST(BodyPublishers.ofString(HELLO)));
  }
}
