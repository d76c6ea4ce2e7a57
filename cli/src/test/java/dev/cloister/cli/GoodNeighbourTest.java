package dev.cloister.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A machine whose owner does not want it to work now. */
class GoodNeighbourTest {
  @Test
  void pauses_says_why_and_others_answer(@TempDir Path directory) {
    LocalTime now = LocalTime.now(ZoneId.systemDefault()).truncatedTo(ChronoUnit.MINUTES);
    String later = now.plusHours(2) + "-" + now.plusHours(3);
    try (TestCluster cluster = new TestCluster(directory)) {
      cluster.join("lap", "--hours", later);
      awaitPaused(cluster, "lap", "not within " + later);
      assertThat(Cli.run("node", "list", "--profile", cluster.profile().toString()).out())
          .contains("paused: not within " + later);

      cluster.join("rack");
      cluster.awaitReady("rack");
      for (int i = 0; i < 4; i++) {
        assertThat(cluster.ask("What is the capital of France?").node()).isEqualTo("rack");
      }
      assertThat(cluster.seenBy("lap")).isZero();
    }
  }

  @Test
  void follows_what_the_coordinator_says_to_all(@TempDir Path directory) {
    LocalTime now = LocalTime.now(ZoneId.systemDefault()).truncatedTo(ChronoUnit.MINUTES);
    String later = now.plusHours(2) + "-" + now.plusHours(3);
    try (TestCluster cluster = new TestCluster(directory, "--hours", later)) {
      cluster.join("desk");
      awaitPaused(cluster, "desk", "not within " + later);
    }
  }

  private static void awaitPaused(TestCluster cluster, String node, String reason) {
    Awaitility.await()
        .atMost(TestCluster.PATIENCE)
        .untilAsserted(
            () -> {
              JsonNode drain = cluster.show("node", "show", node).path("drain");
              assertThat(drain.path("cause").asText()).isEqualTo("owner");
              assertThat(drain.path("reason").asText()).isEqualTo(reason);
            });
  }
}
