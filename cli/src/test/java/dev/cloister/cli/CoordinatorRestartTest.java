package dev.cloister.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.collect.ConcurrentHashMultiset;
import com.google.common.collect.Multiset;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A coordinator that is killed while it serves, and started again after a while. */
class CoordinatorRestartTest {
  private static final List<String> NODES = List.of("desk", "rack");

  @Test
  void agents_are_back_within_five_seconds_with_all_that_was_said_and_nothing_done_twice(
      @TempDir Path directory) {
    try (TestCluster cluster = new TestCluster(directory)) {
      NODES.forEach(cluster::join);
      cluster.awaitReady("desk", "rack");
      cluster.show("node", "label", "desk", "class=server");
      cluster.show("node", "drain", "rack");
      cluster.show("model", "configure", TestCluster.MODEL, "--require", "class=server");
      cluster.show("model", "configure", TestCluster.MODEL, "--require", "class-");
      cluster.show("node", "resume", "rack");
      cluster.awaitReady("desk", "rack");
      cluster.show("node", "drain", "rack");
      ProcessHandle engine = cluster.engine("desk");
      ProcessHandle drained = cluster.engine("rack");
      Multiset<String> pieces = ConcurrentHashMultiset.create();
      var _ = TestStreams.all(cluster, pieces);
      Awaitility.await().atMost(TestCluster.PATIENCE).until(() -> pieces.count("desk") > 60);

      cluster.killCoordinator();

      assertThat(engine.isAlive()).isTrue();
      awaitIdle(engine);
      // By now they wait for as long as they ever do between two attempts.
      for (String name : NODES) {
        Awaitility.await().atMost(TestCluster.PATIENCE).until(() -> attempts(cluster, name) >= 7);
      }
      cluster.restartCoordinator();

      Awaitility.await()
          .atMost(Duration.ofSeconds(5))
          .pollInterval(Duration.ofMillis(50))
          .until(
              () ->
                  cluster.admin().nodes().stream()
                      .allMatch(node -> node.readyModels().contains(TestCluster.MODEL)));
      assertThat(cluster.show("node", "show", "desk").at("/labels/class").asText())
          .isEqualTo("server");
      assertThat(cluster.show("node", "show", "rack").at("/drain/cause").asText())
          .isEqualTo("administrator");
      TestCluster.Answer answer = cluster.ask("What is the capital of France?");
      assertThat(answer.text()).as("with the key of before").contains("Paris");
      assertThat(answer.node()).isEqualTo("desk");
      assertThat(Stream.of(engine, drained)).as("engines go on").allMatch(ProcessHandle::isAlive);
      assertThat(cluster.engine("desk")).isEqualTo(engine);
      assertThat(cluster.engine("rack")).isEqualTo(drained);
      assertThat(cluster.show("node", "show", "desk").path("active_requests").asInt()).isZero();
    }
  }

  private static long attempts(TestCluster cluster, String name) {
    return cluster.agent(name).errors().stream()
        .filter(line -> line.contains("does not answer; trying again"))
        .count();
  }

  /** Nobody waits for what it was answering. */
  private static void awaitIdle(ProcessHandle engine) {
    Duration[] before = {Duration.ZERO};
    Awaitility.await()
        .atMost(Duration.ofSeconds(10))
        .pollInterval(Duration.ofMillis(500))
        .until(
            () -> {
              Duration now = engine.info().totalCpuDuration().orElseThrow();
              boolean idle = now.minus(before[0]).toMillis() < 100;
              before[0] = now;
              return idle;
            });
  }
}
