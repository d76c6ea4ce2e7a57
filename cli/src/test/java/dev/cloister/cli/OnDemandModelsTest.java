package dev.cloister.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.cloister.cli.outcome.ExitCode;
import dev.cloister.engine.gguf.Architecture;
import dev.cloister.engine.gguf.TensorType;
import dev.cloister.engine.gguf.random.RandomModel;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/** Two models and one agent that has room for one, on real processes. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class OnDemandModelsTest {
  private static final String QUESTION =
      TestCluster.question("What is the capital of France?")
          .replaceFirst("\\{", "{\"max_tokens\":16,");

  private TestCluster cluster;

  @BeforeAll
  void start(@TempDir Path directory) throws IOException {
    cluster =
        new TestCluster(
            directory,
            "--model",
            "first=" + model(directory, "first", 1),
            "--model",
            "second=" + model(directory, "second", 2));
    configure("first", "--slots", "2");
    configure("second", "--slots", "2", "--keep-alive", "1h");
    cluster.join("desk");
    awaitLoaded("first");
    long needed = cluster.show("model", "plan", "first").at("/plan/stages/0/memory_bytes").asLong();
    cluster.agent("desk").terminate();
    cluster.agent("desk").awaitExit(Duration.ofSeconds(10));
    cluster.restart("desk", "--memory-limit", ((needed * 3 / 2) >> 20) + "MiB");
    awaitLoaded("first");
  }

  private static Path model(Path directory, String name, long seed) throws IOException {
    Path file = directory.resolve(name + ".gguf");
    new RandomModel(
            Architecture.LLAMA,
            new RandomModel.Shape(6, 1024, 8, 4, 2816, 4096, 256),
            TensorType.Q8_0,
            true,
            seed)
        .write(file);
    return file;
  }

  @AfterAll
  void stop() {
    cluster.close();
  }

  private Cli.Result configure(String... arguments) {
    List<String> line = new ArrayList<>(List.of("model", "configure"));
    line.addAll(List.of(arguments));
    line.addAll(List.of("--profile", cluster.profile().toString()));
    Cli.Result result = Cli.run(line.toArray(String[]::new));
    assertThat(result.exitCode()).as(result.err()).isZero();
    return result;
  }

  private void awaitLoaded(String model) {
    Awaitility.await()
        .atMost(TestCluster.PATIENCE)
        .untilAsserted(
            () -> {
              JsonNode loaded = cluster.show("ps");
              assertThat(loaded).hasSize(1);
              assertThat(loaded.path(0).path("model").asText()).isEqualTo(model);
              assertThat(loaded.path(0).path("state").asText()).isEqualTo("ready");
            });
  }

  private TestCluster.Answer ask(String model) {
    return cluster.post("/v1/chat/completions", QUESTION.replace(TestCluster.MODEL, model));
  }

  @Test
  @Order(1)
  void asking_for_the_other_model_unloads_the_first_and_a_stream_is_told_what_it_waits_for() {
    assertThat(ask("first").status()).isEqualTo(200);

    HttpResponse<String> stream =
        cluster.send(
            "/v1/chat/completions",
            QUESTION.replace(TestCluster.MODEL, "second").replaceFirst("\\{", "{\"stream\":true,"),
            HttpResponse.BodyHandlers.ofString());

    assertThat(stream.statusCode()).isEqualTo(200);
    List<String> lines = stream.body().lines().toList();
    assertThat(lines.getFirst()).matches(": .* model second on desk");
    assertThat(lines.stream().dropWhile(line -> line.startsWith(":")).findFirst().orElseThrow())
        .startsWith("data: {");
    assertThat(lines).noneMatch(line -> line.contains("\"error\"")).contains("data: [DONE]");
    JsonNode loaded = cluster.show("ps");
    assertThat(loaded).hasSize(1);
    JsonNode second = loaded.path(0);
    assertThat(second.path("model").asText()).isEqualTo("second");
    assertThat(second.path("node").asText()).isEqualTo("desk");
    assertThat(second.path("why").asText()).isEqualTo("asked for");
    assertThat(second.path("resident_bytes").asLong()).isPositive();
    assertThat(second.path("last_used").isTextual()).isTrue();
    assertThat(second.path("until").isTextual()).isTrue();
    assertThat(Cli.run("ps", "--profile", cluster.profile().toString()).out())
        .contains("WHY", "second", "0 of 2", "asked for");
  }

  @Test
  @Order(2)
  void a_pinned_model_is_not_unloaded_and_the_caller_is_told_why() {
    configure("second", "--pin");

    TestCluster.Answer refused = ask("first");

    assertThat(refused.status()).isEqualTo(503);
    assertThat(refused.body().at("/error/message").asText())
        .isEqualTo(
            "there is no room for 'first': desk keeps 'second', which is pinned; unpin a model"
                + " with: cloister model configure second --no-pin");
    assertThat(cluster.show("ps").path(0).path("pinned").asBoolean()).isTrue();
    assertThat(ask("second").status()).isEqualTo(200);
  }

  @Test
  @Order(3)
  void without_the_pin_it_makes_room_again_and_what_is_loaded_survives_the_coordinator() {
    configure("second", "--no-pin");
    assertThat(ask("first").status()).isEqualTo(200);
    awaitLoaded("first");
    assertThat(ask("second").status()).isEqualTo(200);
    awaitLoaded("second");

    cluster.killCoordinator();
    cluster.restartCoordinator();

    awaitLoaded("second");
    assertThat(ask("second").status()).isEqualTo(200);
  }

  @Test
  @Order(4)
  void what_contradicts_itself_is_wrong_usage() {
    Cli.Result both = Cli.run("model", "configure", "first", "--pin", "--keep-alive", "1m");
    assertThat(both.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(both.err()).contains("--pin").hasLineCount(1);
    Cli.Result never = Cli.run("model", "configure", "first", "--keep-alive", "soon");
    assertThat(never.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(never.err()).contains("'soon'").hasLineCount(1);
    assertThat(Cli.run("ps", "--help").out()).contains("cloister ps --json", "asked for");
  }
}
