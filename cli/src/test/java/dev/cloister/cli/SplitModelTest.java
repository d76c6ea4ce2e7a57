package dev.cloister.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.common.collect.ConcurrentHashMultiset;
import com.google.common.collect.Multiset;
import dev.cloister.testkit.JavaProcess;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/**
 * One model over several machines, on real processes: its layers lie with three of four agents. One
 * cluster lives through all stories.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class SplitModelTest {
  private static final int SLOTS = 12;
  private static final int CONTEXT = 512;

  /** So soon a stage is missed whose streams were reset, and one that falls silent. */
  private static final Duration RESET = Duration.ofMillis(500);

  private static final Duration SILENCE = Duration.ofSeconds(5);

  /** What the API offers beside plain text. */
  private static final List<String> OFFERS =
      List.of(
          asking("Name the planets.", "\"stop\":[\"Earth\"]"),
          asking("Name the planets.", "\"n\":3,\"seed\":5,\"temperature\":0.9,\"max_tokens\":24"),
          asking("Name the planets.", "\"logit_bias\":{\"300\":2},\"frequency_penalty\":0.5"),
          asking(
              "Is water wet?",
              """
              "response_format":{"type":"json_schema","json_schema":{"name":"reply","strict":true,
              "schema":{"type":"object","properties":{"answer":{"enum":["yes","no"]},
              "count":{"type":"integer","minimum":0,"maximum":99}},
              "required":["answer","count"],"additionalProperties":false}}}\
              """),
          asking(
              "What is the weather in Rome?",
              """
              "tool_choice":"required","tools":[{"type":"function","function":{"name":"weather",
              "parameters":{"type":"object","properties":{"city":{"enum":["Paris","Rome"]}},
              "required":["city"],"additionalProperties":false}}}]\
              """),
          asking("Name the planets.", "\"logprobs\":true,\"top_logprobs\":3,\"max_tokens\":12"));

  private final ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor();
  private TestCluster cluster;
  private List<TestStreams.Streamed> undisturbed;
  private List<JsonNode> offered;

  @BeforeAll
  void start(@TempDir Path directory) {
    cluster = new TestCluster(directory);
    cluster.join("desk");
    cluster.awaitReady("desk");
    undisturbed = streams(ConcurrentHashMultiset.create());
    offered = OFFERS.stream().map(this::choices).toList();
    cluster.join("rack");
    cluster.join("lap");
    configure("3");
    awaitRing("desk", "rack", "lap");
  }

  @AfterAll
  void stop() {
    callers.close();
    cluster.close();
  }

  private List<TestStreams.Streamed> streams(Multiset<String> pieces) {
    return TestStreams.all(cluster, pieces).stream().map(CompletableFuture::join).toList();
  }

  private void configure(String split) {
    assertThat(
            Cli.run(
                    "model",
                    "configure",
                    TestCluster.MODEL,
                    "--split",
                    split,
                    "--slots",
                    String.valueOf(SLOTS),
                    "--context",
                    String.valueOf(CONTEXT),
                    "--profile",
                    cluster.profile().toString())
                .exitCode())
        .isZero();
  }

  /** A request with more fields than a question. */
  private static String asking(String question, String fields) {
    String plain = TestCluster.question(question);
    return (fields.contains("temperature") ? plain.replace("\"temperature\":0,", "") : plain)
        .replaceFirst("\\{", Matcher.quoteReplacement("{" + fields + ","));
  }

  /** What was answered, without the names that calls were given. */
  private JsonNode choices(String request) {
    TestCluster.Answer answer = cluster.post("/v1/chat/completions", request);
    assertThat(answer.status()).as(answer.body().toString()).isEqualTo(200);
    JsonNode choices = answer.body().path("choices");
    choices.findParents("function").forEach(call -> ((ObjectNode) call).remove("id"));
    return choices;
  }

  private List<String> ring() {
    return cluster.ring(TestCluster.MODEL);
  }

  private void awaitRing(String... names) {
    Awaitility.await()
        .alias("a closed ring of " + List.of(names))
        .atMost(TestCluster.PATIENCE)
        .until(
            () ->
                ring().size() == names.length
                    && ring().containsAll(List.of(names))
                    && cluster.node(ring().getFirst()).readyModels().contains(TestCluster.MODEL));
  }

  @Test
  @Order(1)
  void answers_equal_those_of_the_whole_model() {
    assertThat(cluster.ask("What is the capital of France?").text())
        .isEqualTo("The capital of France is Paris.");
    assertThat(streams(ConcurrentHashMultiset.create())).isEqualTo(undisturbed);
  }

  @Test
  @Order(2)
  void layers_and_plans_are_told() {
    JsonNode plan = cluster.show("model", "plan", TestCluster.MODEL).path("plan");
    assertThat(plan.path("stages")).hasSize(3);
    assertThat(plan.path("stages").path(0).path("first_layer").asInt()).isZero();
    assertThat(plan.path("seconds_per_token").asDouble()).isPositive();
    assertThat(Cli.run("node", "list", "--profile", cluster.profile().toString()).out())
        .contains("(staged)", "(ready)");
    assertThat(
            cluster
                .show("model", "plan", TestCluster.MODEL, "--split", "never")
                .path("plan")
                .path("stages"))
        .hasSize(1);
  }

  @Test
  @Order(3)
  void what_else_the_api_offers_is_the_same_as_well() {
    for (int i = 0; i < OFFERS.size(); i++) {
      JsonNode split = choices(OFFERS.get(i));
      if (split.path(0).path("logprobs").isObject()) {
        assertThat(split.findValuesAsText("token"))
            .isEqualTo(offered.get(i).findValuesAsText("token"));
        assertThat(logprobs(split))
            .usingElementComparator((a, b) -> Math.abs(a - b) < 0.001 ? 0 : Double.compare(a, b))
            .isEqualTo(logprobs(offered.get(i)));
      } else {
        assertThat(split).isEqualTo(offered.get(i));
      }
    }
    assertThat(offered.get(0).findValuesAsText("content").getFirst())
        .contains("Venus")
        .doesNotContain("Earth");
    assertThat(offered.get(1)).hasSize(3);
    assertThat(offered.get(4).findValuesAsText("arguments").getFirst()).contains("city");
  }

  private static List<Double> logprobs(JsonNode choices) {
    return choices.findValues("logprob").stream().map(JsonNode::asDouble).toList();
  }

  @Test
  @Order(4)
  void callers_that_leave_disturb_nobody_and_leave_nothing_behind() {
    Random random = new Random(4);
    for (int round = 0; round < 3; round++) {
      List<CompletableFuture<Void>> leaving =
          IntStream.range(0, 30)
              .mapToObj(i -> "Count from " + i + " to 200.")
              .map(question -> leave(question, random.nextInt(40)))
              .toList();
      assertThat(streams(ConcurrentHashMultiset.create())).isEqualTo(undisturbed);
      leaving.forEach(CompletableFuture::join);
    }
    // Sequences share their cells: if any had kept some, these would not find room at once.
    List<CompletableFuture<TestCluster.Answer>> longest =
        IntStream.range(0, SLOTS)
            .mapToObj(i -> CompletableFuture.supplyAsync(() -> endless(i), callers))
            .toList();
    for (CompletableFuture<TestCluster.Answer> answer : longest) {
      JsonNode body = answer.join().body();
      assertThat(body.path("choices").path(0).path("finish_reason").asText())
          .as(body.toString())
          .isEqualTo("length");
      assertThat(body.path("usage").path("total_tokens").asInt()).isBetween(CONTEXT - 1, CONTEXT);
    }
    assertThat(ring())
        .allSatisfy(
            node ->
                assertThat(cluster.agent(node).errors())
                    .noneMatch(line -> line.contains("has no room") || line.contains("a step of")));
  }

  /** Reads so many lines of an answer, and closes the connection. */
  private CompletableFuture<Void> leave(String question, int lines) {
    return CompletableFuture.runAsync(
        () -> {
          try (Stream<String> read =
              cluster
                  .send(
                      "/v1/chat/completions",
                      asking(question, "\"stream\":true"),
                      HttpResponse.BodyHandlers.ofLines())
                  .body()) {
            assertThat(read.limit(lines + 1)).isNotEmpty();
          }
        },
        callers);
  }

  /** Fills the context of a slot. */
  private TestCluster.Answer endless(int number) {
    String words =
        new Random(number)
            .ints(60, 0, 1000)
            .mapToObj(String::valueOf)
            .collect(Collectors.joining(" "));
    return cluster.post(
        "/v1/chat/completions",
        asking(
            words,
            """
            "response_format":{"type":"json_schema","json_schema":{"name":"numbers","strict":true,
            "schema":{"type":"array","items":{"type":"integer"},"minItems":200}}}\
            """));
  }

  @Test
  @Order(5)
  void a_killed_agent_is_replaced_by_a_spare_one_and_no_stream_breaks() {
    cluster.join("spare");
    Awaitility.await()
        .atMost(TestCluster.PATIENCE)
        .until(
            () ->
                cluster.admin().nodes().stream()
                    .anyMatch(node -> node.name().equals("spare") && node.cores() > 0));
    List<String> ring = ring();
    surviving(() -> cluster.agent(ring.get(1)).kill(), RESET);
    assertThat(ring()).containsExactly(ring.get(0), "spare", ring.get(2));
    cluster.restart(ring.get(1));
  }

  @Test
  @Order(6)
  void a_killed_engine_is_started_again_and_no_stream_breaks() {
    List<String> ring = ring();
    for (int stage : List.of(1, 2, 0)) {
      surviving(() -> cluster.engine(ring.get(stage)).destroyForcibly(), RESET);
    }
  }

  @Test
  @Order(7)
  void an_agent_that_falls_silent_is_replaced_and_no_stream_breaks() {
    String middle = ring().get(1);
    surviving(() -> cluster.agent(middle).signal("STOP"), SILENCE);
    assertThat(ring()).hasSize(3).doesNotContain(middle);
    cluster.agent(middle).signal("CONT");
  }

  @Test
  @Order(8)
  void an_engine_that_falls_silent_is_started_again_and_no_stream_breaks() {
    ProcessHandle engine = cluster.engine(ring().get(1));
    surviving(() -> JavaProcess.signal(engine, "STOP"), SILENCE);
    Awaitility.await().atMost(TestCluster.PATIENCE).until(() -> !engine.isAlive());
  }

  @Test
  @Order(9)
  void without_a_spare_agent_callers_hear_what_is_missing() {
    List<String> ring = ring();
    List.of("desk", "rack", "lap", "spare").stream()
        .filter(name -> !ring.contains(name))
        .forEach(name -> cluster.agent(name).kill());
    Multiset<String> pieces = ConcurrentHashMultiset.create();
    List<CompletableFuture<TestStreams.Streamed>> answers = TestStreams.all(cluster, pieces);
    awaitPieces(pieces);
    cluster.agent(ring.get(1)).kill();
    assertThat(answers)
        .allSatisfy(
            answer ->
                assertThat(answer)
                    .failsWithin(Duration.ofSeconds(20))
                    .withThrowableOfType(ExecutionException.class)
                    .withMessageContaining("is to be split over 3 nodes, and 2 are online"));
    TestCluster.Answer answer = cluster.ask("What is the capital of France?");
    assertThat(answer.status()).isEqualTo(503);
    assertThat(answer.body().path("error").path("message").asText())
        .contains("is to be split over 3 nodes");

    configure("2");
    Awaitility.await()
        .atMost(TestCluster.PATIENCE)
        .until(() -> cluster.ask("What is the capital of France?").status() == 200);
    assertThat(ring()).hasSize(2);
  }

  /**
   * Has all streams run, and something happen to the ring while it answers.
   *
   * @param notice so soon answers must begin to look for another place
   */
  private void surviving(Runnable loss, Duration notice) {
    int moved = moved();
    Multiset<String> pieces = ConcurrentHashMultiset.create();
    List<CompletableFuture<TestStreams.Streamed>> answers = TestStreams.all(cluster, pieces);
    awaitPieces(pieces);
    loss.run();
    Awaitility.await()
        .alias("the loss is noticed")
        .atMost(notice)
        .pollInterval(Duration.ofMillis(5))
        .until(() -> moved() > moved);
    assertThat(answers.stream().map(CompletableFuture::join).toList()).isEqualTo(undisturbed);
  }

  private static void awaitPieces(Multiset<String> pieces) {
    Awaitility.await()
        .atMost(TestCluster.PATIENCE)
        .pollInterval(Duration.ofMillis(1))
        .until(() -> pieces.size() > 60);
  }

  /** How many times an answer has left its place. */
  private int moved() {
    return (int)
        cluster.coordinatorLog().stream()
            .filter(line -> line.contains(" was lost; another node goes on behind"))
            .count();
  }
}
