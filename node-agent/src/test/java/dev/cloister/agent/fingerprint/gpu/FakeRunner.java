package dev.cloister.agent.fingerprint.gpu;

import dev.cloister.agent.fingerprint.host.CommandRunner;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Objects;

/** Answers every command the same. */
record FakeRunner(CommandRunner.Outcome outcome) implements CommandRunner {

  static FakeRunner printing(String stdout) {
    return new FakeRunner(new Outcome.Completed(0, stdout, ""));
  }

  static FakeRunner failing(int exit, String stdout) {
    return new FakeRunner(new Outcome.Completed(exit, stdout, ""));
  }

  static String fixture(String name) {
    try (InputStream stream =
        Objects.requireNonNull(FakeRunner.class.getResourceAsStream(name), name)) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }

  @Override
  public Outcome run(List<String> command, Duration timeout) {
    return outcome;
  }
}
