package dev.cloister.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.cloister.cli.outcome.ExitCode;
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

  @Test
  void follows_what_is_set_while_it_is_there_also_when_the_coordinator_starts_anew(
      @TempDir Path directory) {
    LocalTime now = LocalTime.now(ZoneId.systemDefault()).truncatedTo(ChronoUnit.MINUTES);
    String later = now.plusHours(2) + "-" + now.plusHours(3);
    try (TestCluster cluster = new TestCluster(directory)) {
      cluster.join("desk", "--pause-above-gpu", "90%");
      cluster.join("rack", "--pause-above-gpu", "90%");
      cluster.awaitReady("desk", "rack");

      JsonNode set = cluster.show("policy", "set", "--hours", later);
      assertThat(set.at("/all/holds/hours/0").asText()).isEqualTo(later);
      awaitPaused(cluster, "desk", "not within " + later);
      awaitPaused(cluster, "rack", "not within " + later);

      cluster.show("policy", "set", "rack", "--hours", "always");
      cluster.awaitOpen("rack");
      JsonNode rack = cluster.show("policy", "show", "rack");
      assertThat(rack.path("now").asText()).isEqualTo("takes work");
      assertThat(rack.at("/said_by/hours/0").asText()).isEqualTo("node");
      assertThat(rack.at("/holds/pause_above_gpu").asDouble()).isEqualTo(0.9);
      assertThat(rack.at("/said_by/pause_above_gpu").asText()).isEqualTo("owner");
      assertThat(cluster.ask("What is the capital of France?").node()).isEqualTo("rack");

      cluster.killCoordinator();
      cluster.restartCoordinator();
      cluster.awaitOpen("rack");
      awaitPaused(cluster, "desk", "not within " + later);
      assertThat(Cli.run("policy", "show", "--profile", cluster.profile().toString()).out())
          .containsPattern("desk +works +any +up to 90 % \\(owner\\).* paused: not within " + later)
          .containsPattern("rack .*always \\(set\\).* takes work");

      cluster.show("policy", "set", "--reset");
      cluster.awaitOpen("desk");
    }
  }

  @Test
  void gives_models_as_much_as_is_set_while_it_is_there(@TempDir Path directory) {
    try (TestCluster cluster = new TestCluster(directory)) {
      cluster.join("desk");
      cluster.awaitReady("desk");

      JsonNode set =
          cluster.show("policy", "set", "--memory-limit", "1MiB", "--disk-limit", "4GiB");
      assertThat(set.at("/all/holds/memory_limit_bytes").asLong()).isEqualTo(1L << 20);
      assertThat(set.at("/all/holds/disk_limit_bytes").asLong()).isEqualTo(4L << 30);
      Awaitility.await()
          .atMost(TestCluster.PATIENCE)
          .until(() -> cluster.node("desk").readyModels().isEmpty());

      JsonNode desk = cluster.show("policy", "set", "desk", "--memory-limit", "none");
      assertThat(desk.at("/holds/memory_limit_bytes").isNull()).isTrue();
      assertThat(desk.at("/said_by/memory_limit_bytes").asText()).isEqualTo("node");
      cluster.awaitReady("desk");
    }
  }

  @Test
  void refuses_what_makes_no_sense() {
    for (String[] wrong :
        new String[][] {
          {"policy", "set"},
          {"policy", "set", "--pause-above-cpu", "150%"},
          {"policy", "set", "--hours", "25:00-08:00"},
          {"policy", "set", "--memory-limit", "0"}
        }) {
      Cli.Result refused = Cli.run(wrong);
      assertThat(refused.exitCode()).isEqualTo(ExitCode.USAGE);
      assertThat(refused.err()).contains("(expected: ");
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
