package dev.cloister.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.cloister.engine.gguf.Architecture;
import dev.cloister.engine.gguf.TensorType;
import dev.cloister.engine.gguf.random.RandomModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model that none of three agents may hold, and all of them together can. */
class SharedBurdenTest {
  private static final String MODEL = "random";

  /** 150 million parameters in 160 MB. */
  private static final RandomModel WEIGHTS =
      new RandomModel(
          Architecture.LLAMA,
          new RandomModel.Shape(12, 1024, 8, 4, 2816, 4096, 256),
          TensorType.Q8_0,
          true,
          7);

  private static final String QUESTION =
      TestCluster.question("What is the capital of France?")
          .replace(TestCluster.MODEL, MODEL)
          .replaceFirst("\\{", "{\"max_tokens\":16,");

  @Test
  void agents_that_cannot_hold_a_model_alone_answer_together(@TempDir Path directory)
      throws IOException {
    Path file = directory.resolve("random.gguf");
    WEIGHTS.write(file);
    try (TestCluster cluster = new TestCluster(directory, "--model", MODEL + "=" + file)) {
      assertThat(
              Cli.run(
                      "model",
                      "configure",
                      MODEL,
                      "--slots",
                      "2",
                      "--profile",
                      cluster.profile().toString())
                  .exitCode())
          .isZero();
      cluster.join("tower");
      String whole = answer(cluster);
      long needed = cluster.show("model", "plan", MODEL).at("/plan/stages/0/memory_bytes").asLong();
      String limit = ((needed * 3 / 4) >> 20) + "MiB";
      cluster.agent("tower").terminate();
      cluster.agent("tower").awaitExit(Duration.ofSeconds(10));

      cluster.join("desk", "--memory-limit", limit);
      Awaitility.await()
          .atMost(TestCluster.PATIENCE)
          .untilAsserted(
              () ->
                  assertThat(cluster.post("/v1/chat/completions", QUESTION).body().toString())
                      .contains("no single node can hold random", "less"));
      cluster.join("rack", "--memory-limit", limit);
      cluster.join("lap", "--memory-limit", limit);

      assertThat(answer(cluster)).isEqualTo(whole);
      List<String> ring = cluster.ring(MODEL);
      assertThat(ring).hasSizeGreaterThan(1);
      JsonNode planned = cluster.show("model", "plan", MODEL).at("/plan/stages");
      for (JsonNode replica : cluster.show("model", "show", MODEL).path("replicas")) {
        String node = replica.path("node").asText();
        // What is best now may be other nodes than those that answer, with the same layers.
        JsonNode stage = ofSameLayers(planned, replica.path("stage"));
        assertThat(bytesBelow(cluster.stages(node)))
            .as("files on " + node)
            .isPositive()
            .isLessThan((long) (1.1 * stage.path("weight_bytes").asLong()));
        assertThat(replica.path("resident_bytes").asLong())
            .as("memory on " + node)
            .isPositive()
            .isLessThan((long) (1.1 * stage.path("memory_bytes").asLong()));
      }
    }
  }

  /** Asks until there is an answer. */
  private static String answer(TestCluster cluster) {
    return Awaitility.await()
        .atMost(TestCluster.PATIENCE)
        .until(
            () -> cluster.post("/v1/chat/completions", QUESTION), answer -> answer.status() == 200)
        .text();
  }

  private static JsonNode ofSameLayers(JsonNode stages, JsonNode held) {
    return stages
        .valueStream()
        .filter(stage -> stage.path("first_layer").equals(held.path("first_layer")))
        .filter(stage -> stage.path("end_layer").equals(held.path("end_layer")))
        .findFirst()
        .orElseThrow();
  }

  private static long bytesBelow(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      return files.filter(Files::isRegularFile).mapToLong(SharedBurdenTest::size).sum();
    }
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
