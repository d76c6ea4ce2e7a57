package dev.cloister.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.cloister.client.CloisterClient;
import dev.cloister.client.NodeInfo;
import dev.cloister.testkit.JavaProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.awaitility.Awaitility;

/** A real coordinator and real agents, each a process, on free ports of this machine. */
public final class TestCluster implements AutoCloseable {
  static final String MODEL = "cloister-tiny";
  static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path directory;
  private final List<String> options;
  private final int clusterPort;
  private JavaProcess coordinator;
  private final Map<String, JavaProcess> agents = new LinkedHashMap<>();
  private final HttpClient http = HttpClient.newHttpClient();
  private final CloisterClient admin;
  private final String api;
  private String key;

  /**
   * Starts the coordinator.
   *
   * @param options of its command, beside those for free ports
   */
  TestCluster(Path directory, String... options) {
    this.directory = directory;
    this.options = List.of(options);
    this.coordinator = startCoordinator(0, 0);
    JsonNode up = announcement();
    this.clusterPort = up.get("cluster_port").asInt();
    this.api = up.get("api").asText();
    this.admin = CloisterClient.open(profile());
    this.key = admin.administration().createApiKey("test").key();
  }

  private JavaProcess startCoordinator(int port, int apiPort) {
    List<String> command = new ArrayList<>(List.of("coordinator", "start", "--json"));
    // Tests run on laptops too.
    command.add("--no-pause-on-battery");
    command.addAll(List.of("--port", String.valueOf(port)));
    command.addAll(List.of("--api-port", String.valueOf(apiPort)));
    command.addAll(List.of("--data", directory.resolve("coordinator").toString()));
    command.addAll(options);
    return cloister(Map.of(), command.toArray(String[]::new));
  }

  private JsonNode announcement() {
    return json(coordinator.awaitOutput(line -> line.startsWith("{"), PATIENCE));
  }

  void killCoordinator() {
    coordinator.kill();
  }

  /** Starts the coordinator again, where it was before, and returns when it is up. */
  void restartCoordinator() {
    coordinator = startCoordinator(clusterPort, URI.create(api).getPort());
    announcement();
  }

  JavaProcess cloister(Map<String, String> environment, String... arguments) {
    Map<String, String> all = new LinkedHashMap<>(environment);
    all.put("CLOISTER_HOME", directory.resolve("home").toString());
    return JavaProcess.start(
        "dev.cloister.cli.Main",
        all,
        List.of("-Dcloister.install=" + Cli.CHECKOUT, "-Dcloister.log=info"),
        List.of(arguments));
  }

  /** Starts an agent with a new token. */
  JavaProcess join(String name, String... options) {
    String token =
        admin.administration().createJoinToken("agent", Duration.ofMinutes(2), 1).token();
    return start(name, Map.of("CLOISTER_JOIN_TOKEN", token), options);
  }

  /** Starts an agent that is a member already. */
  JavaProcess restart(String name, String... options) {
    return start(name, Map.of(), options);
  }

  private JavaProcess start(String name, Map<String, String> environment, String... options) {
    Map<String, String> logging = new LinkedHashMap<>(environment);
    logging.put("CLOISTER_LOG", "debug");
    List<String> command =
        new ArrayList<>(
            List.of(
                "agent", "start", "--data", directory.resolve(name).toString(), "--name", name));
    command.addAll(List.of(options));
    JavaProcess agent = cloister(logging, command.toArray(String[]::new));
    agents.put(name, agent);
    return agent;
  }

  JavaProcess agent(String name) {
    return Objects.requireNonNull(agents.get(name), name);
  }

  /** The engine process of an agent. */
  ProcessHandle engine(String name) {
    return Awaitility.await()
        .atMost(PATIENCE)
        .until(() -> agent(name).descendants(), found -> !found.isEmpty())
        .getFirst();
  }

  void awaitReady(String... names) {
    for (String name : names) {
      Awaitility.await()
          .alias(name + " serves the model")
          .atMost(PATIENCE)
          .pollInterval(Duration.ofMillis(50))
          .until(
              () ->
                  admin.nodes().stream()
                      .anyMatch(n -> n.name().equals(name) && n.readyModels().contains(MODEL)));
    }
  }

  /** Waits until a node takes new work. */
  void awaitOpen(String name) {
    Awaitility.await()
        .alias(name + " takes work")
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(50))
        .until(
            () ->
                node(name).state() == NodeInfo.State.ONLINE
                    && node(name).drain().isEmpty()
                    && node(name).readyModels().contains(MODEL));
  }

  NodeInfo node(String name) {
    return admin.nodes().stream()
        .filter(node -> node.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  /** What the coordinator logged so far. */
  List<String> coordinatorLog() {
    return coordinator.errors();
  }

  CloisterClient admin() {
    return admin;
  }

  Path profile() {
    return directory.resolve("coordinator").resolve("admin");
  }

  /** Where an agent keeps the files of its stages. */
  Path stages(String name) {
    return directory.resolve(name).resolve("stages");
  }

  /** What a command says with {@code --json}, as the administrator. */
  JsonNode show(String... command) {
    List<String> line = new ArrayList<>(List.of(command));
    line.addAll(List.of("--json", "--profile", profile().toString()));
    return json(Cli.run(line.toArray(String[]::new)).out());
  }

  /** The agents that hold stages of a model, the first stage first. */
  List<String> ring(String model) {
    return show("model", "show", model)
        .path("replicas")
        .valueStream()
        .filter(replica -> replica.path("stage").isObject())
        .sorted(Comparator.comparingInt(replica -> replica.path("stage").path("index").asInt()))
        .map(replica -> replica.path("node").asText())
        .toList();
  }

  /** Where the engines of an agent keep beginnings of prompts. */
  Path prefixes(String name) {
    return directory.resolve(name).resolve("prefixes");
  }

  String api() {
    return api;
  }

  String key() {
    return key;
  }

  /** Has callers use another key from now on. */
  void use(String otherKey) {
    key = otherKey;
  }

  /** How many requests an agent says it was given; its log is at debug level. */
  long seenBy(String name) {
    return agent(name).errors().stream().filter(line -> line.endsWith(" is answered here")).count();
  }

  /** A status and a JSON body. */
  record Answer(int status, JsonNode body, String node) {
    String text() {
      return body.path("choices").path(0).path("message").path("content").asText();
    }
  }

  Answer ask(String question) {
    return post("/v1/chat/completions", question(question));
  }

  static String question(String text) {
    return JSON.createObjectNode()
        .put("model", MODEL)
        .put("temperature", 0)
        .set(
            "messages",
            JSON.createArrayNode()
                .add(JSON.createObjectNode().put("role", "user").put("content", text)))
        .toString();
  }

  Answer post(String path, String body) {
    HttpResponse<String> response = send(path, body, HttpResponse.BodyHandlers.ofString());
    return new Answer(
        response.statusCode(),
        json(response.body()),
        response.headers().firstValue("x-cloister-node").orElse(""));
  }

  <T> HttpResponse<T> send(String path, String body, HttpResponse.BodyHandler<T> handler) {
    try {
      return http.send(request(path, body), handler);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  HttpRequest request(String path, String body) {
    return HttpRequest.newBuilder(URI.create(api + path))
        .header("authorization", "Bearer " + key)
        .header("content-type", "application/json")
        .timeout(PATIENCE)
        .POST(HttpRequest.BodyPublishers.ofString(body))
        .build();
  }

  public static JsonNode json(String text) {
    try {
      return JSON.readTree(text);
    } catch (IOException e) {
      throw new UncheckedIOException(text, e);
    }
  }

  @Override
  public void close() {
    admin.close();
    http.shutdownNow();
    agents.values().forEach(JavaProcess::close);
    coordinator.close();
  }
}
