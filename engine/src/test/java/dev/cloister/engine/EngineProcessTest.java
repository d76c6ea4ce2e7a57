package dev.cloister.engine;

import static dev.cloister.engine.EngineProcess.DEMO_MODEL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** How an engine process starts and ends. */
class EngineProcessTest {

  @TempDir Path directory;

  @Test
  void endOfInputEndsTheProcessWithinASecondEvenWhileItAnswers() throws Exception {
    try (EngineProcess engine = EngineProcess.start(directory, DEMO_MODEL).ready()) {
      var answer =
          engine
              .stub()
              .generate(EngineProcess.request(EngineProcess.greedy("Count to 100.").build()));
      answer.next();
      engine.process.getOutputStream().close();
      assertThat(engine.process.waitFor(1, TimeUnit.SECONDS)).isTrue();
      assertThat(engine.process.exitValue()).isZero();
      assertThat(Files.exists(engine.socket, LinkOption.NOFOLLOW_LINKS)).isFalse();
      assertThat(Files.readString(engine.standardOutput)).isEmpty();
    }
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void terminationEndsTheProcessAndRemovesItsSocket() throws Exception {
    try (EngineProcess engine = EngineProcess.start(directory, DEMO_MODEL).ready()) {
      engine.process.destroy();
      assertThat(engine.process.waitFor(2, TimeUnit.SECONDS)).isTrue();
      assertThat(engine.process.exitValue()).isZero();
      assertThat(Files.exists(engine.socket, LinkOption.NOFOLLOW_LINKS)).isFalse();
      assertThat(engine.errors()).isEmpty();
    }
  }

  @Test
  void socketThatAKilledProcessLeftIsReplaced() throws Exception {
    try (EngineProcess killed = EngineProcess.start(directory, DEMO_MODEL).ready()) {
      killed.process.destroyForcibly().waitFor();
      assertThat(Files.exists(killed.socket, LinkOption.NOFOLLOW_LINKS)).isTrue();
    }
    try (EngineProcess next = EngineProcess.start(directory, DEMO_MODEL).ready()) {
      assertThat(next.ask("What is the capital of France?").text()).contains("Paris");
    }
  }

  @Test
  void deathOfTheProcessBreaksTheWatch() throws Exception {
    try (EngineProcess engine = EngineProcess.start(directory, DEMO_MODEL)) {
      var states =
          engine
              .stub()
              .watchModel(dev.cloister.proto.engine.v1.WatchModelRequest.getDefaultInstance());
      var state = states.next();
      while (state.hasLoading()) {
        state = states.next();
      }
      assertThat(state.hasReady()).isTrue();
      engine.process.destroyForcibly();
      assertThatThrownBy(states::hasNext)
          .isInstanceOf(StatusRuntimeException.class)
          .hasMessageContaining("UNAVAILABLE");
    }
  }

  @Test
  void twoProcessesUnpackTheLibraryIntoOneEmptyCacheAtOnce() throws Exception {
    Path cache = directory.resolve("cache");
    Path one = Files.createDirectory(directory.resolve("1"));
    Path two = Files.createDirectory(directory.resolve("2"));
    try (EngineProcess first = withCache(one, cache);
        EngineProcess second = withCache(two, cache)) {
      assertThat(first.awaitLoaded().hasReady()).isTrue();
      assertThat(second.awaitLoaded().hasReady()).isTrue();
    }
    Path library = library(cache);
    Files.write(library, Arrays.copyOf(Files.readAllBytes(library), 100_000));
    try (EngineProcess third = withCache(one, cache)) {
      assertThat(third.awaitLoaded().hasReady()).as("with a damaged cache").isTrue();
    }
    try (var files = Files.list(library(cache).getParent())) {
      assertThat(files.filter(Files::isRegularFile)).hasSize(1);
    }
  }

  @Test
  void wrongFlagsEndTheProcessWithOneLine() throws Exception {
    assertThat(launched("--model", "m", "--sockets", "s")).contains("unknown flag --sockets");
    assertThat(launched("--model", "m")).contains("flag --socket is missing");
    String socket = directory.resolve("s").toString();
    assertThat(launched("--model", "m", "--library-cache", "c", "--socket", socket, "--slots", "x"))
        .contains("--slots: x");
    assertThat(launched("--model", "m", "--library-cache", "c", "--socket", socket, "--stage", "x"))
        .contains("--stage: x (expected: whole, first, middle, last)");
    assertThat(
            launched(
                "--model",
                "m",
                "--library-cache",
                "c",
                "--socket",
                socket,
                "--stage",
                "first",
                "--stages",
                "2"))
        .contains("lexicon: none (expected: a file with the first stage");
    assertThat(launched("--model", "m", "--library-cache", "c", "--socket", "x".repeat(200)))
        .contains("its path has 200 bytes");
    Files.writeString(directory.resolve("s"), "precious");
    assertThat(launched("--model", "m", "--library-cache", "c", "--socket", socket))
        .contains("is not a socket");
    assertThat(directory.resolve("s")).hasContent("precious");
  }

  private EngineProcess withCache(Path own, Path cache) throws IOException {
    Path socket = own.resolve("s");
    return EngineProcess.launch(
        own,
        socket,
        List.of(
            "--model", DEMO_MODEL.toString(),
            "--socket", socket.toString(),
            "--library-cache", cache.toString()));
  }

  private static Path library(Path cache) throws IOException {
    try (var files = Files.walk(cache)) {
      return files.filter(Files::isRegularFile).findFirst().orElseThrow();
    }
  }

  private String launched(String... flags) throws Exception {
    try (EngineProcess engine =
        EngineProcess.launch(directory, directory.resolve("unused"), List.of(flags))) {
      assertThat(engine.process.waitFor(10, TimeUnit.SECONDS)).isTrue();
      assertThat(engine.process.exitValue()).isNotZero();
      assertThat(engine.errors().lines()).hasSize(1);
      return engine.errors();
    }
  }
}
