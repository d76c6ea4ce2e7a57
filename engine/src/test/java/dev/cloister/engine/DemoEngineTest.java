package dev.cloister.engine;

import static dev.cloister.engine.EngineProcess.DEMO_MODEL;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A real process with the demo model for each native library that is here, one after another; it
 * says nothing but its answers.
 */
@ParameterizedClass
@MethodSource("dev.cloister.engine.EngineLibrary#available")
abstract class DemoEngineTest {
  @TempDir static Path directory;
  static EngineLibrary library = EngineLibrary.B4916;
  static EngineProcess engine;

  /** JUnit gives a method its argument only where a constructor takes it, too. */
  DemoEngineTest(EngineLibrary library) {
    assertThat(library).isEqualTo(DemoEngineTest.library);
  }

  @BeforeParameterizedClassInvocation
  static void choose(EngineLibrary next) {
    library = next;
  }

  @BeforeAll
  static void start() throws IOException {
    engine =
        EngineProcess.start(library, directory, DEMO_MODEL, "--slots", "16", "--threads", "1")
            .ready();
  }

  @AfterAll
  static void stop() throws IOException {
    engine.close();
    assertThat(Files.readString(engine.standardOutput)).isEmpty();
    assertThat(engine.errors()).isEmpty();
  }
}
