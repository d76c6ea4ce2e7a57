package dev.cloister.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.common.collect.ConcurrentHashMultiset;
import com.google.common.collect.Multiset;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
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
  private TestCluster cluster;
  private List<TestStreams.Streamed> undisturbed;

  @BeforeAll
  void start(@TempDir Path directory) {
    cluster = new TestCluster(directory);
    cluster.join("desk");
    cluster.awaitReady("desk");
    undisturbed = streams(ConcurrentHashMultiset.create());
    cluster.join("rack");
    cluster.join("lap");
    configure("3");
    awaitRing("desk", "rack", "lap");
  }

  @AfterAll
  void stop() {
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
                    "--profile",
                    cluster.profile().toString())
                .exitCode())
        .isZero();
  }

  private JsonNode show(String... command) {
    List<String> line = new java.util.ArrayList<>(List.of(command));
    line.addAll(List.of("--json", "--profile", cluster.profile().toString()));
    return TestCluster.json(Cli.run(line.toArray(String[]::new)).out());
  }

  /** The agents that hold stages, the first stage first. */
  private List<String> ring() {
    return show("model", "show", TestCluster.MODEL)
        .path("replicas")
        .valueStream()
        .filter(replica -> replica.path("stage").isObject())
        .sorted(Comparator.comparingInt(replica -> replica.path("stage").path("index").asInt()))
        .map(replica -> replica.path("node").asText())
        .toList();
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
    JsonNode plan = show("model", "plan", TestCluster.MODEL).path("plan");
    assertThat(plan.path("stages")).hasSize(3);
    assertThat(plan.path("stages").path(0).path("first_layer").asInt()).isZero();
    assertThat(plan.path("seconds_per_token").asDouble()).isPositive();
    assertThat(Cli.run("node", "list", "--profile", cluster.profile().toString()).out())
        .contains("(staged)", "(ready)");
    assertThat(
            show("model", "plan", TestCluster.MODEL, "--split", "never")
                .path("plan")
                .path("stages"))
        .hasSize(1);
  }

  @Test
  @Order(3)
  void a_killed_agent_is_replaced_by_a_spare_one_and_no_stream_breaks() {
    cluster.join("spare");
    Awaitility.await()
        .atMost(TestCluster.PATIENCE)
        .until(
            () ->
                cluster.admin().nodes().stream()
                    .anyMatch(node -> node.name().equals("spare") && node.cores() > 0));
    List<String> ring = ring();
    surviving(() -> cluster.agent(ring.get(1)).kill());
    assertThat(ring()).containsExactly(ring.get(0), "spare", ring.get(2));
  }

  @Test
  @Order(4)
  void a_killed_engine_is_started_again_and_no_stream_breaks() {
    List<String> ring = ring();
    surviving(() -> cluster.engine(ring.get(2)).destroyForcibly());
    surviving(() -> cluster.engine(ring.get(0)).destroyForcibly());
  }

  @Test
  @Order(5)
  void without_a_spare_agent_callers_hear_what_is_missing() {
    cluster.agent(ring().get(1)).kill();
    Awaitility.await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(
            () -> {
              TestCluster.Answer answer = cluster.ask("What is the capital of France?");
              assertThat(answer.status()).isEqualTo(503);
              assertThat(answer.body().path("error").path("message").asText())
                  .contains("is to be split over 3 nodes");
            });
    configure("2");
    Awaitility.await()
        .atMost(TestCluster.PATIENCE)
        .until(() -> cluster.ask("What is the capital of France?").status() == 200);
    assertThat(ring()).hasSize(2);
  }

  /** Has all streams run, and something happen to the ring while it answers. */
  private void surviving(Runnable loss) {
    Multiset<String> pieces = ConcurrentHashMultiset.create();
    List<CompletableFuture<TestStreams.Streamed>> answers = TestStreams.all(cluster, pieces);
    Awaitility.await()
        .atMost(TestCluster.PATIENCE)
        .pollInterval(Duration.ofMillis(1))
        .until(() -> pieces.size() > 60);
    loss.run();
    assertThat(answers.stream().map(CompletableFuture::join).toList()).isEqualTo(undisturbed);
  }
}
