package dev.cloister.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.cli.outcome.ExitCode;
import dev.cloister.testkit.JavaProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code cloister quickstart}, as a process of its own. */
class QuickstartTest {
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private @TempDir Path directory;

  private JavaProcess quickstart(String... arguments) throws IOException {
    Path temporary = Files.createDirectories(directory.resolve("tmp"));
    List<String> line = new java.util.ArrayList<>(List.of("quickstart"));
    line.addAll(List.of(arguments));
    return JavaProcess.start(
        "dev.cloister.cli.Main",
        Map.of("CLOISTER_HOME", directory.resolve("home").toString()),
        List.of("-Dcloister.install=" + Cli.CHECKOUT, "-Djava.io.tmpdir=" + temporary),
        line);
  }

  private boolean leftNothing() throws IOException {
    try (Stream<Path> left = Files.list(directory.resolve("tmp"))) {
      return left.noneMatch(path -> path.getFileName().toString().startsWith("cloister"))
          && ProcessHandle.allProcesses()
              .noneMatch(
                  process ->
                      process
                          .info()
                          .commandLine()
                          .filter(line -> line.contains(directory.toString()))
                          .isPresent());
    }
  }

  @Test
  void once_prints_the_answer_alone_and_leaves_nothing() throws IOException {
    try (JavaProcess process = quickstart("--once", "--prompt", "What is the capital of France?")) {
      assertThat(process.awaitExit(PATIENCE)).isZero();
      assertThat(process.output()).containsExactly("The capital of France is Paris.");
    }
    Awaitility.await().atMost(Duration.ofSeconds(5)).until(this::leftNothing);
  }

  @Test
  void once_answers_through_three_stages_as_well() throws IOException {
    Path data = directory.resolve("data");
    try (JavaProcess process =
        quickstart(
            "--agents",
            "3",
            "--split",
            "3",
            "--data",
            data.toString(),
            "--once",
            "--prompt",
            "What is the capital of France?")) {
      assertThat(process.awaitExit(PATIENCE)).isZero();
      assertThat(process.output()).containsExactly("The capital of France is Paris.");
    }
    for (int agent = 1; agent <= 3; agent++) {
      Path own = data.resolve("agent-" + agent);
      assertThat(own.resolve("stages")).isDirectoryContaining("glob:**.gguf");
      assertThat(own.resolve("models")).doesNotExist();
    }
    Awaitility.await().atMost(Duration.ofSeconds(5)).until(this::leftNothing);
  }

  @Test
  void stays_until_ctrl_c_and_leaves_nothing() throws IOException {
    try (JavaProcess process = quickstart("--agents", "1", "--api-port", "0")) {
      process.awaitOutput(line -> line.startsWith("Stop with Ctrl-C"), PATIENCE);
      assertThat(process.output())
          .anyMatch(line -> line.contains("API address   http://127.0.0.1:"))
          .anyMatch(line -> line.contains("API key       sk-cloister-"))
          .anyMatch(line -> line.contains("curl http"));

      process.signal("INT");

      assertThat(process.awaitExit(Duration.ofSeconds(10))).isEqualTo(130);
    }
    Awaitility.await().atMost(Duration.ofSeconds(5)).until(this::leftNothing);
  }

  @Test
  void killed_it_takes_its_processes_with_it() throws IOException {
    try (JavaProcess process = quickstart("--agents", "1", "--api-port", "0")) {
      process.awaitOutput(line -> line.startsWith("Stop with Ctrl-C"), PATIENCE);
      List<ProcessHandle> parts = process.descendants();
      assertThat(parts).hasSizeGreaterThanOrEqualTo(3);

      process.kill();

      Awaitility.await()
          .atMost(Duration.ofSeconds(10))
          .until(
              () ->
                  parts.stream()
                      .noneMatch(part -> part.isAlive() && part.info().command().isPresent()));
    }
  }

  @Test
  void asks_for_what_is_missing() {
    assertThat(Cli.run("quickstart", "--once").err()).contains("--prompt").hasLineCount(1);
    assertThat(Cli.run("quickstart", "--prompt", "x").err()).contains("--once");
    assertThat(Cli.run("quickstart", "--agents", "0").exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(Cli.run("quickstart", "--split", "3").err())
        .isEqualTo("cloister: --split is 3 (expected: 2 to 2, the number of agents)\n");
  }
}
