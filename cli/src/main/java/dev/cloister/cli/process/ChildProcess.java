package dev.cloister.cli.process;

import dev.cloister.cli.outcome.CommandFailedException;
import dev.cloister.cli.outcome.ExitCode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A part of the quickstart cluster, as a process of its own. It ends when this process ends,
 * however that ends. Its log goes to a file.
 */
public final class ChildProcess implements AutoCloseable {
  private static final long GRACE_SECONDS = 5;

  private final String name;
  private final Process process;
  private final Path log;

  private ChildProcess(String name, Process process, Path log) {
    this.name = name;
    this.process = process;
    this.log = log;
  }

  /**
   * Starts {@code cloister ARGUMENTS}.
   *
   * @param logDirectory gets {@code NAME.log}
   */
  public static ChildProcess start(String name, Path logDirectory, List<String> arguments) {
    try {
      Files.createDirectories(logDirectory);
      Path log = logDirectory.resolve(name + ".log");
      List<String> command = JavaCommand.of("dev.cloister.cli.Main", "info");
      command.addAll(arguments);
      Process process =
          new ProcessBuilder(command)
              .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()))
              .start();
      return new ChildProcess(name, process, log);
    } catch (IOException e) {
      throw new UncheckedIOException(name + " cannot be started", e);
    }
  }

  public String name() {
    return name;
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  /** Sends one line to its standard input, which stays open. */
  public void send(String line) {
    try {
      OutputStream in = process.getOutputStream();
      in.write((line + "\n").getBytes(StandardCharsets.UTF_8));
      in.flush();
    } catch (IOException e) {
      throw failed();
    }
  }

  /**
   * Waits for the first line on its standard output.
   *
   * @throws CommandFailedException if it ends without one; what it said last is in the message
   */
  public String firstLine() {
    try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
      String line = lines.readLine();
      if (line != null) {
        return line;
      }
      process.waitFor(GRACE_SECONDS, TimeUnit.SECONDS);
      throw failed();
    } catch (IOException e) {
      throw failed();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw failed();
    }
  }

  /** What it said last, as the reason for its end. */
  public CommandFailedException failed() {
    String last = "";
    try {
      last = Files.readAllLines(log).stream().reduce("", (before, line) -> line);
    } catch (IOException e) {
      // Then it said nothing.
    }
    int exit = process.isAlive() ? ExitCode.GENERAL : process.exitValue();
    return new CommandFailedException(
        exit > 0 && exit <= ExitCode.TIMED_OUT ? exit : ExitCode.GENERAL,
        last.startsWith("cloister: ")
            ? last.substring("cloister: ".length())
            : name + " ended unexpectedly; its log is " + log);
  }

  /** Ends it and what it started at once, with no time to tidy up. */
  public void kill() {
    List<ProcessHandle> descendants = process.descendants().toList();
    process.destroyForcibly();
    descendants.forEach(ProcessHandle::destroyForcibly);
    // The descendants are not waited for: dead, they still count as alive until init reaps them.
    process.onExit().join();
  }

  /** Asks it to end; {@link #close} waits for it. */
  public void stop() {
    process.destroy();
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(GRACE_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
