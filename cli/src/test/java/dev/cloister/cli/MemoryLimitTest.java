package dev.cloister.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.cloister.cli.outcome.ExitCode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.StreamSupport;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Agents, on real processes, of which none may take the memory that the model needs. */
class MemoryLimitTest {
  private static final int MIB = 1 << 20;

  private @TempDir Path directory;

  private static JsonNode plan(TestCluster cluster, String split) {
    return TestCluster.json(
        Cli.run(
                "model",
                "plan",
                TestCluster.MODEL,
                "--split",
                split,
                "--json",
                "--profile",
                cluster.profile().toString())
            .out());
  }

  private static long mostMemory(JsonNode plan) {
    return StreamSupport.stream(plan.path("plan").path("stages").spliterator(), false)
        .mapToLong(stage -> stage.path("memory_bytes").asLong())
        .max()
        .orElseThrow();
  }

  @Test
  void a_model_that_no_node_may_hold_is_answered_by_three_together() {
    try (TestCluster cluster = new TestCluster(directory)) {
      String[] names = {"desk", "rack", "lap"};
      String limit = limit(cluster, names);
      for (String name : names) {
        cluster.agent(name).terminate();
        cluster.agent(name).awaitExit(Duration.ofSeconds(10));
      }
      for (String name : names) {
        cluster.restart(name, "--memory-limit", limit);
      }

      Awaitility.await()
          .atMost(TestCluster.PATIENCE)
          .until(() -> cluster.ask("What is the capital of France?").status() == 200);

      assertThat(cluster.ask("What is the capital of France?").text())
          .isEqualTo("The capital of France is Paris.");
      assertThat(plan(cluster, "never").path("reason").asText())
          .startsWith("no single node can hold cloister-tiny");
      assertThat(plan(cluster, "auto").path("plan").path("stages")).hasSizeGreaterThan(1);
      assertThat(
              Cli.run(
                      "model",
                      "plan",
                      TestCluster.MODEL,
                      "--split",
                      "never",
                      "--profile",
                      cluster.profile().toString())
                  .exitCode())
          .isEqualTo(ExitCode.NO_CAPACITY);
    }
  }

  /** Enough for a third of the model, and too little for all of it. */
  private static String limit(TestCluster cluster, String... names) {
    for (String name : names) {
      cluster.join(name);
    }
    cluster.awaitReady(names);
    long third = mostMemory(plan(cluster, "3"));
    long whole = mostMemory(plan(cluster, "never"));
    long mebibytes = Math.ceilDiv(third, MIB);
    assertThat(mebibytes * MIB).isLessThan(whole);
    return mebibytes + "MiB";
  }
}
