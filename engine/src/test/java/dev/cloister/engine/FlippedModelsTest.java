package dev.cloister.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The demo model with one bit flipped, 200 times in its header and 50 times in its data. Such a
 * model is refused, or answers (often as if nothing had happened), or takes its process with it:
 * the first two are what the validator is for, and the last has to stay rare.
 */
class FlippedModelsTest {
  private static final int MODELS = OpenFlippedModels.IN_HEADER + 50;
  private static final int MOST_CRASHES = 2;

  @TempDir private Path directory;

  @ParameterizedTest
  @MethodSource("dev.cloister.engine.EngineLibrary#available")
  void eachIsRefusedOrAnswers(EngineLibrary library) throws Exception {
    int refused = 0;
    int answered = 0;
    List<String> crashes = new ArrayList<>();
    int next = 0;
    while (next < MODELS) {
      List<String> lines = run(library, next);
      for (String line : lines) {
        assertThat(line).matches("\\d+ (\\d+\\^\\d+|answered|(refused|failed): .+)");
        refused += line.contains(" refused: ") ? 1 : 0;
        answered += line.contains(" answered") || line.contains(" failed: ") ? 1 : 0;
      }
      String last = lines.getLast();
      next = Integer.parseInt(last.substring(0, last.indexOf(' '))) + 1;
      if (last.contains("^")) {
        crashes.add(last);
      }
    }
    System.out.printf(
        "%s, %d flipped bits: %d refused, %d answered, crashed: %s%n",
        library.title, MODELS, refused, answered, crashes);
    assertThat(refused + answered + crashes.size()).isEqualTo(MODELS);
    assertThat(crashes).hasSizeLessThanOrEqualTo(MOST_CRASHES);
  }

  /** What a process says of the models from a number on, until it ends or crashes. */
  private List<String> run(EngineLibrary library, int first) throws Exception {
    Path output = directory.resolve("output");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-XX:-CreateCoredumpOnCrash",
                "-XX:ErrorFile=" + directory.resolve("crash.log"),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                OpenFlippedModels.class.getName(),
                directory.toString(),
                library.cache().orElseThrow().toString(),
                Integer.toString(first),
                Integer.toString(MODELS - 1))
            .redirectError(directory.resolve("errors").toFile())
            .redirectOutput(output.toFile())
            .start();
    try {
      assertThat(process.waitFor(3, TimeUnit.MINUTES)).as("ended in time").isTrue();
      List<String> lines =
          Files.readAllLines(output).stream().filter(line -> line.matches("\\d+ .*")).toList();
      assertThat(lines).as("%s", Files.readString(directory.resolve("errors"))).isNotEmpty();
      return lines;
    } finally {
      process.destroyForcibly();
    }
  }
}
