package dev.cloister.deploy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * A program that was run to its end.
 *
 * @param exitCode its exit code
 * @param output its standard output
 * @param errors its standard error
 */
record Script(int exitCode, String output, String errors) {
  private static final Duration LONGEST = Duration.ofMinutes(3);

  /**
   * Runs a program; past three minutes it is killed, with what it started.
   *
   * @param environment all of it: nothing is inherited
   */
  static Script run(Path directory, Map<String, String> environment, List<String> command) {
    ProcessBuilder builder = new ProcessBuilder(command).directory(directory.toFile());
    builder.environment().clear();
    builder.environment().putAll(environment);
    try {
      Process process = builder.start();
      process.getOutputStream().close();
      CompletableFuture<String> output = text(process.getInputStream()::readAllBytes);
      CompletableFuture<String> errors = text(process.getErrorStream()::readAllBytes);
      if (!process.waitFor(LONGEST.toSeconds(), TimeUnit.SECONDS)) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        throw new AssertionError(command + " still ran after " + LONGEST + ": " + errors.join());
      }
      return new Script(process.exitValue(), output.join(), errors.join());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  private static CompletableFuture<String> text(Bytes bytes) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return new String(bytes.read(), StandardCharsets.UTF_8);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        },
        Thread.ofVirtual()::start);
  }

  private interface Bytes {
    byte[] read() throws IOException;
  }
}
