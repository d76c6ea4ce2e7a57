package dev.cloister.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.common.collect.ConcurrentHashMultiset;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
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
 * A model over three machines, one of which the others cannot reach, on real processes: what they
 * send it goes through the coordinator.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class RelayedModelTest {
  private TestCluster cluster;
  private List<TestStreams.Streamed> undisturbed;

  @BeforeAll
  void start(@TempDir Path directory) {
    cluster = new TestCluster(directory);
    cluster.join("desk", "--listen", "none");
    cluster.awaitReady("desk");
    undisturbed = streams();
    cluster.join("rack");
    cluster.join("lap");
    assertThat(
            Cli.run(
                    "model",
                    "configure",
                    TestCluster.MODEL,
                    "--split",
                    "3",
                    "--slots",
                    "12",
                    "--context",
                    "512",
                    "--profile",
                    cluster.profile().toString())
                .exitCode())
        .isZero();
    Awaitility.await()
        .alias("a closed ring")
        .atMost(TestCluster.PATIENCE)
        .until(
            () ->
                ring().size() == 3
                    && cluster.node(ring().getFirst()).readyModels().contains(TestCluster.MODEL));
  }

  @AfterAll
  void stop() {
    cluster.close();
  }

  private List<String> ring() {
    return cluster.ring(TestCluster.MODEL);
  }

  private List<TestStreams.Streamed> streams() {
    return TestStreams.all(cluster, ConcurrentHashMultiset.create()).stream()
        .map(CompletableFuture::join)
        .toList();
  }

  @Test
  @Order(1)
  void answers_equal_those_of_the_whole_model() {
    assertThat(streams()).isEqualTo(undisturbed);
  }

  @Test
  @Order(2)
  void what_goes_through_the_coordinator_is_told_and_counted() {
    String before = before("desk");
    Map<String, JsonNode> stages =
        cluster
            .show("model", "show", TestCluster.MODEL)
            .path("replicas")
            .valueStream()
            .collect(
                Collectors.toMap(
                    replica -> replica.path("node").asText(), replica -> replica.path("stage")));
    assertThat(stages).hasSize(3);
    stages.forEach(
        (node, stage) -> {
          boolean relayed = node.equals(before);
          assertThat(stage.path("relayed_streams").asLong()).isEqualTo(relayed ? 1 : 0);
          assertThat(stage.path("relayed_bytes").asLong())
              .isBetween(relayed ? 1_000L : 0, relayed ? Long.MAX_VALUE : 0);
        });
    assertThat(
            Cli.run("model", "show", TestCluster.MODEL, "--profile", cluster.profile().toString())
                .out())
        .contains("From " + before + " to the next stage through the coordinator: ");
    Map<String, Boolean> planned =
        cluster
            .show("model", "plan", TestCluster.MODEL)
            .path("plan")
            .path("stages")
            .valueStream()
            .collect(
                Collectors.toMap(
                    stage -> stage.path("node").asText(),
                    stage -> stage.path("relayed").asBoolean()));
    assertThat(planned.values()).containsOnlyOnce(true);
  }

  private String before(String node) {
    List<String> ring = ring();
    return ring.get((ring.indexOf(node) + ring.size() - 1) % ring.size());
  }

  @Test
  @Order(3)
  void the_ways_between_the_machines_are_measured() {
    Awaitility.await()
        .atMost(TestCluster.PATIENCE)
        .until(
            () ->
                cluster
                    .show("model", "plan", TestCluster.MODEL)
                    .path("plan")
                    .path("stages")
                    .valueStream()
                    .allMatch(stage -> stage.path("hop_measured").asBoolean()));
    assertThat(ring()).as("which moves nothing").contains("desk", "rack", "lap");
  }

  @Test
  @Order(4)
  void silence_is_noticed_through_the_coordinator_as_well() {
    cluster.join("spare");
    Awaitility.await()
        .atMost(TestCluster.PATIENCE)
        .until(
            () ->
                cluster.admin().nodes().stream()
                    .anyMatch(node -> node.name().equals("spare") && node.cores() > 0));
    ConcurrentHashMultiset<String> pieces = ConcurrentHashMultiset.create();
    List<CompletableFuture<TestStreams.Streamed>> answers = TestStreams.all(cluster, pieces);
    Awaitility.await().atMost(TestCluster.PATIENCE).until(() -> pieces.size() > 60);
    String sender = before("desk");
    cluster.agent(sender).signal("STOP");
    Awaitility.await()
        .atMost(Duration.ofSeconds(6))
        .until(
            () ->
                cluster.coordinatorLog().stream()
                    .anyMatch(line -> line.contains(" was lost; another node goes on behind")));
    assertThat(answers.stream().map(CompletableFuture::join).toList()).isEqualTo(undisturbed);
    cluster.agent(sender).signal("CONT");
  }
}
