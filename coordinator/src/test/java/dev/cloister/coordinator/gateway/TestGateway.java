package dev.cloister.coordinator.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.cloister.coordinator.fakes.FakeNodeSession;
import dev.cloister.coordinator.fakes.FakeNodeSession.Start;
import dev.cloister.coordinator.fakes.TestFleet;
import dev.cloister.coordinator.fleet.Node;
import dev.cloister.coordinator.identity.ApiKeys;
import dev.cloister.coordinator.inference.GenerationEvent.FinishReason;
import dev.cloister.coordinator.inference.GenerationEvent.Finished;
import dev.cloister.coordinator.inference.GenerationEvent.Started;
import dev.cloister.coordinator.inference.GenerationEvent.TextDelta;
import dev.cloister.coordinator.inference.GenerationEvent.Usage;
import dev.cloister.coordinator.store.Database;
import dev.cloister.coordinator.store.SqliteApiKeyRecords;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** The user port on a loopback address, before one node that does what a test tells it. */
final class TestGateway implements AutoCloseable {
  static final String CHAT = "/v1/chat/completions";
  static final String COMPLETIONS = "/v1/completions";
  static final String HELLO =
      "{\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";
  static final String HELLO_STREAM = HELLO.replace("{\"model\"", "{\"stream\":true,\"model\"");

  private static final ObjectMapper JSON = new ObjectMapper();

  final TestFleet world = new TestFleet();
  final FakeNodeSession session;
  final Node node;
  final ApiKeys apiKeys;
  final String keyId;
  final String key;
  private final Database database;
  private final Gateway gateway;
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private volatile Consumer<Start> script = TestGateway::sayHelloWorld;

  TestGateway(Path directory) throws IOException {
    database = Database.open(directory.resolve("cloister.db"));
    apiKeys = new ApiKeys(new SqliteApiKeyRecords(database), world.clock);
    ApiKeys.NewKey made = apiKeys.create("test");
    keyId = made.id();
    key = made.key();
    session = new FakeNodeSession(start -> Thread.ofVirtual().start(() -> script.accept(start)));
    node = world.ready("desk", session, 100);
    gateway =
        Gateway.start(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
            Optional.empty(),
            world.catalog,
            world.dispatcher,
            apiKeys,
            world.clock);
  }

  /** What the node does with every request from now on. */
  void script(Consumer<Start> next) {
    script = next;
  }

  static void sayHelloWorld(Start start) {
    start.send(new Started(7, 0, "desk"));
    start.send(new TextDelta("Hello"));
    start.send(new TextDelta(" world"));
    start.send(new Finished(FinishReason.STOP, new Usage(7, 0, 2)));
  }

  int port() {
    return gateway.port();
  }

  URI uri(String path) {
    return URI.create("http://127.0.0.1:" + port() + path);
  }

  HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(uri(path))
        .timeout(Duration.ofSeconds(20))
        .header("authorization", "Bearer " + key);
  }

  HttpResponse<String> post(String path, String body) throws Exception {
    return send(request(path).POST(BodyPublishers.ofString(body)));
  }

  HttpResponse<String> get(String path) throws Exception {
    return send(request(path));
  }

  HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
    return client.send(request.build(), BodyHandlers.ofString());
  }

  HttpClient client() {
    return client;
  }

  static JsonNode json(String text) throws IOException {
    return JSON.readTree(text);
  }

  /** The events before the last, which is checked to be {@code [DONE]}. */
  static List<JsonNode> chunks(String body) throws Exception {
    assertThat(body).endsWith("data: [DONE]\n\n");
    List<JsonNode> chunks = new ArrayList<>();
    for (String event : body.split("\n\n", 0)) {
      assertThat(event).startsWith("data: ").doesNotContain("\n");
      if (!event.equals("data: [DONE]")) {
        chunks.add(json(event.substring("data: ".length())));
      }
    }
    return chunks;
  }

  static JsonNode error(HttpResponse<String> response) throws IOException {
    return json(response.body()).path("error");
  }

  /** Checks that a request is refused, with the parameter that is wrong, in plain words. */
  void assertRefused(String path, String body, String param) throws Exception {
    assertRefused(post(path, body), param);
  }

  static void assertRefused(HttpResponse<String> response, String param) throws Exception {
    assertThat(response.body()).startsWith("{\"error\":{");
    assertThat(response.statusCode()).isEqualTo(400);
    JsonNode error = error(response);
    assertThat(error.path("param").asText()).isEqualTo(param);
    assertThat(error.path("type").asText()).isEqualTo("invalid_request_error");
    assertThat(error.path("message").asText())
        .isNotEmpty()
        .hasSizeLessThan(200)
        .doesNotContain("\n", "com.fasterxml", "Exception", "Feature", "Constraints", "java");
  }

  @Override
  public void close() {
    client.close();
    gateway.close();
    database.close();
  }
}
