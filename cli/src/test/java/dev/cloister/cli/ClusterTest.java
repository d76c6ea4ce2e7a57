package dev.cloister.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.cli.outcome.ExitCode;
import dev.cloister.client.ChatRequest;
import dev.cloister.client.CloisterClient;
import dev.cloister.client.NodeInfo;
import dev.cloister.testkit.JavaProcess;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/**
 * The main job on real processes: a coordinator, agents and engines, over real TLS, with a real
 * model. One cluster lives through all stories, each of which leaves both agents ready.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ClusterTest {
  /** So much that an answer is under way for seconds: four at a time on each of two nodes. */
  private static final int MANY = 40;

  private TestCluster cluster;

  @BeforeAll
  void start(@TempDir Path directory) {
    cluster = new TestCluster(directory);
    cluster.join("desk");
    cluster.join("rack");
    cluster.awaitReady("desk", "rack");
  }

  @AfterAll
  void stop() {
    cluster.close();
  }

  @Test
  @Order(1)
  void answers_through_gateway_coordinator_agent_and_engine() {
    TestCluster.Answer answer = cluster.ask("What is the capital of France?");

    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.text()).isEqualTo("The capital of France is Paris.");
    assertThat(answer.node()).isIn("desk", "rack");
    assertThat(answer.body().path("usage").path("completion_tokens").asInt()).isPositive();
  }

  @Test
  @Order(2)
  void characters_that_span_tokens_arrive_whole_also_in_a_stream() {
    assertThat(cluster.ask("Translate \"water\" into Bulgarian.").text()).contains("вода");

    HttpResponse<String> stream =
        cluster.send(
            "/v1/chat/completions",
            TestCluster.question("Translate \"water\" into Bulgarian.")
                .replaceFirst("\\{", "{\"stream\":true,"),
            HttpResponse.BodyHandlers.ofString());
    StringBuilder text = new StringBuilder();
    stream
        .body()
        .lines()
        .filter(line -> line.startsWith("data: {"))
        .forEach(
            line ->
                text.append(
                    TestCluster.json(line.substring(6))
                        .path("choices")
                        .path(0)
                        .path("delta")
                        .path("content")
                        .asText()));
    assertThat(text).contains("вода").doesNotContain("\uFFFD");
    assertThat(stream.body().stripTrailing()).endsWith("data: [DONE]");
  }

  @Test
  @Order(3)
  void both_nodes_take_part() {
    assertThat(nodesThatAnswer()).containsExactlyInAnyOrder("desk", "rack");
  }

  @Test
  @Order(4)
  void the_command_line_lists_nodes_and_models_and_chats() {
    String profile = cluster.profile().toString();

    assertThat(Cli.run("node", "list", "--profile", profile).out())
        .contains("desk", "rack", "online");
    assertThat(
            TestCluster.json(Cli.run("node", "list", "--json", "--profile", profile).out())
                .findValuesAsText("state"))
        .containsExactly("online", "online");
    assertThat(Cli.run("model", "list", "--profile", profile).out())
        .contains("cloister-tiny", "desk (ready), rack (ready)", "llama.cpp");
    assertThat(Cli.run("model", "show", "nope", "--profile", profile).err())
        .isEqualTo("cloister: there is no model 'nope'; see: cloister model list\n");
    Cli.Result chat =
        Cli.run("chat", "--profile", profile, "--prompt", "What is the capital of Spain?");
    assertThat(chat.out()).isEqualToIgnoringNewLines("The capital of Spain is Madrid.");
    assertThat(chat.exitCode()).isZero();
  }

  @Test
  @Order(5)
  void a_client_with_its_own_profile_may_chat_but_not_govern(@TempDir Path directory) {
    String token =
        Cli.run("token", "create", "--role", "client", "--profile", cluster.profile().toString())
            .out()
            .strip();
    String profile = directory.resolve("me").toString();

    assertThat(Cli.run("join", token, "--profile", profile).exitCode()).isZero();

    assertThat(Cli.run("chat", "--profile", profile, "-p", "What is the capital of Italy?").out())
        .contains("Rome");
    Cli.Result refused = Cli.run("token", "create", "--profile", profile);
    assertThat(refused.exitCode()).isEqualTo(ExitCode.NOT_ALLOWED);
    assertThat(refused.err()).contains("role client may not call").hasLineCount(1);
  }

  @Test
  @Order(6)
  void a_killed_engine_is_started_again_and_the_next_request_is_answered() {
    long before = cluster.engine("desk").pid();
    cluster.engine("desk").destroyForcibly();
    cluster.engine("rack").destroyForcibly();

    assertThat(cluster.ask("What is the capital of France?").text()).contains("Paris");
    cluster.awaitReady("desk", "rack");
    assertThat(cluster.agent("desk").isAlive()).isTrue();
    assertThat(cluster.engine("desk").pid()).isNotEqualTo(before);
  }

  @Test
  @Order(7)
  void an_engine_killed_while_it_answers_costs_a_clear_error_at_most() {
    List<CompletableFuture<TestCluster.Answer>> answers = startMany("Count from 1 to 200.", 16);
    cluster.engine("desk").destroyForcibly();
    cluster.engine("rack").destroyForcibly();

    for (CompletableFuture<TestCluster.Answer> future : answers) {
      TestCluster.Answer answer = future.join();
      if (answer.status() != 200) {
        assertThat(answer.status()).isIn(502, 503);
        assertThat(answer.body().path("error").path("message").asText()).isNotBlank();
        assertThat(answer.body().path("error").path("code").asText())
            .isIn("node_lost", "no_capacity");
      }
    }
    assertThat(cluster.ask("What is the capital of France?").text()).contains("Paris");
    cluster.awaitReady("desk", "rack");
  }

  @Test
  @Order(8)
  void a_caller_that_closes_its_connection_frees_the_node_within_a_second() throws IOException {
    List<Socket> callers = new ArrayList<>();
    for (int i = 0; i < MANY; i++) {
      callers.add(openStream("Count from 1 to 200."));
    }
    for (Socket caller : callers) {
      caller.close();
    }

    Awaitility.await()
        .atMost(Duration.ofSeconds(1))
        .pollInterval(Duration.ofMillis(20))
        .untilAsserted(
            () ->
                assertThat(
                        CompletableFuture.supplyAsync(
                                () -> cluster.ask("What is the capital of France?").text())
                            .orTimeout(500, TimeUnit.MILLISECONDS)
                            .join())
                    .contains("Paris"));
  }

  @Test
  @Order(9)
  void a_killed_agent_is_lost_within_three_seconds_and_no_caller_sees_an_error()
      throws InterruptedException {
    String id = cluster.node("desk").id();
    AtomicBoolean stop = new AtomicBoolean();
    List<TestCluster.Answer> answers = new ArrayList<>();
    Thread caller =
        Thread.ofVirtual()
            .start(
                () -> {
                  while (!stop.get()) {
                    answers.add(cluster.ask("What is the capital of France?"));
                  }
                });

    cluster.agent("desk").kill();

    Awaitility.await()
        .atMost(Duration.ofSeconds(3))
        .until(() -> cluster.node("desk").state() == NodeInfo.State.LOST);
    stop.set(true);
    caller.join();
    assertThat(answers).isNotEmpty().allSatisfy(a -> assertThat(a.text()).contains("Paris"));

    cluster.restart("desk");
    cluster.awaitReady("desk");
    assertThat(cluster.node("desk").id()).isEqualTo(id);
  }

  @Test
  @Order(10)
  void the_engine_of_a_killed_agent_ends_with_it() {
    ProcessHandle engine = cluster.engine("rack");
    cluster.agent("rack").kill();
    Awaitility.await().atMost(Duration.ofSeconds(5)).until(() -> !isRunning(engine));
    cluster.restart("rack");
    cluster.awaitReady("rack");
  }

  @Test
  @Order(11)
  void a_third_agent_adds_capacity_at_once() {
    cluster.join("laptop");
    cluster.awaitReady("laptop");

    assertThat(nodesThatAnswer()).contains("laptop");

    JavaProcess laptop = cluster.agent("laptop");
    laptop.terminate();
    assertThat(laptop.awaitExit(Duration.ofSeconds(10))).isEqualTo(143);
    assertThat(cluster.node("laptop").state()).isEqualTo(NodeInfo.State.OFFLINE);
  }

  @Test
  @Order(12)
  void bad_requests_get_errors_in_openais_shape() {
    assertError(cluster.post("/v1/chat/completions", "{"), 400, null, null);
    assertError(
        cluster.post(
            "/v1/chat/completions",
            "{\"model\":\"nope\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}"),
        404,
        "model",
        "model_not_found");
    assertError(
        cluster.post("/v1/chat/completions", TestCluster.question("word ".repeat(2_000))),
        400,
        "messages",
        "context_length_exceeded");
  }

  private static void assertError(
      TestCluster.Answer answer, int status, @Nullable String param, @Nullable String code) {
    assertThat(answer.status()).isEqualTo(status);
    var error = answer.body().path("error");
    assertThat(error.path("message").asText()).isNotBlank().doesNotContain("Exception", "\n");
    assertThat(error.path("type").asText()).isEqualTo("invalid_request_error");
    assertThat(error.path("param").asText(null)).isEqualTo(param);
    assertThat(error.path("code").asText(null)).isEqualTo(code);
  }

  @Test
  @Order(13)
  void no_log_holds_a_prompt_an_answer_a_key_or_a_token() {
    assertThat(cluster.ask("Repeat after me: silver tiger Prague").text()).contains("silver");

    List<String> logs = new ArrayList<>(cluster.agent("desk").errors());
    logs.addAll(cluster.agent("rack").errors());
    logs.addAll(cluster.coordinatorLog());
    assertThat(logs)
        .isNotEmpty()
        .noneMatch(
            line ->
                line.contains("silver")
                    || line.contains("Paris")
                    || line.contains(cluster.key())
                    || line.contains("clj1."));
  }

  /** Which nodes take part when several callers ask at once. */
  private Set<String> nodesThatAnswer() {
    Set<String> nodes = new HashSet<>();
    startMany("Name the planets.", 16).forEach(answer -> nodes.add(answer.join().node()));
    return nodes;
  }

  private List<CompletableFuture<TestCluster.Answer>> startMany(String question, int count) {
    List<CompletableFuture<TestCluster.Answer>> answers = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      CompletableFuture<TestCluster.Answer> answer = new CompletableFuture<>();
      Thread.ofVirtual().start(() -> answer.complete(cluster.ask(question)));
      answers.add(answer);
    }
    return answers;
  }

  /** A streaming request whose answer has begun. */
  private Socket openStream(String question) throws IOException {
    URI api = URI.create(cluster.api());
    Socket socket = new Socket(api.getHost(), api.getPort());
    byte[] body =
        TestCluster.question(question)
            .replaceFirst("\\{", "{\"stream\":true,")
            .getBytes(StandardCharsets.UTF_8);
    socket
        .getOutputStream()
        .write(
            ("POST /v1/chat/completions HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer "
                    + cluster.key()
                    + "\r\nContent-Type: application/json\r\nContent-Length: "
                    + body.length
                    + "\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII));
    socket.getOutputStream().write(body);
    socket.getOutputStream().flush();
    return socket;
  }

  /** A dead process that nobody has reaped yet still counts as alive; its command is gone. */
  private static boolean isRunning(ProcessHandle process) {
    return process.isAlive() && process.info().command().isPresent();
  }

  @Test
  @Order(14)
  void the_sdk_streams_and_stops() {
    try (CloisterClient client = CloisterClient.open(cluster.profile());
        var stream = client.stream(ChatRequest.of(TestCluster.MODEL, "Name the planets."))) {
      assertThat(stream.hasNext()).isTrue();
      assertThat(stream.complete().text()).contains("Mercury");
    }
  }

  @Test
  @Order(15)
  void a_model_is_configured_on_every_node() {
    String profile = cluster.profile().toString();
    assertThat(Cli.run("model", "configure", TestCluster.MODEL, "--slots=65", "--profile", profile))
        .isEqualTo(new Cli.Result(ExitCode.USAGE, "", "cloister: slots: 65 (expected: 1 to 64)\n"));

    Cli.Result configured =
        Cli.run(
            "model",
            "configure",
            TestCluster.MODEL,
            "--context",
            "256",
            "--slots",
            "2",
            "--kv-type",
            "q8_0",
            "--flash-attention",
            "on",
            "--gpu-layers",
            "all",
            "--batch",
            "64",
            "--profile",
            profile);

    assertThat(configured.exitCode()).isZero();
    assertThat(configured.out()).contains("--context 256 --slots 2", "--kv-type q8_0");
    Awaitility.await()
        .atMost(TestCluster.PATIENCE)
        .untilAsserted(
            () -> {
              var model = cluster.show("model", "show", TestCluster.MODEL);
              assertThat(model.findValuesAsText("context_tokens")).containsOnly("256").hasSize(2);
              assertThat(model.path("replicas").path(0).path("slots").asInt()).isEqualTo(2);
              assertThat(model.path("replicas").path(0).path("full").asBoolean()).isTrue();
              assertThat(model.path("options").path("kv_type").asText()).isEqualTo("q8_0");
            });
    assertThat(cluster.ask("What is the capital of France?").text()).contains("Paris");
    assertThat(cluster.prefixes("desk")).isDirectory();
  }
}
