package dev.cloister.testkit;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.awaitility.Awaitility;

/**
 * A real Java process with the test's own class path. Closing it kills it and what it started.
 * Thread-safe.
 */
public final class JavaProcess implements AutoCloseable {
  private final Process process;
  private final List<String> output = new CopyOnWriteArrayList<>();
  private final List<String> errors = new CopyOnWriteArrayList<>();
  private final List<Thread> readers = new ArrayList<>();

  private JavaProcess(Process process) {
    this.process = process;
    readers.add(read("stdout", process.inputReader(StandardCharsets.UTF_8), output));
    readers.add(read("stderr", process.errorReader(StandardCharsets.UTF_8), errors));
  }

  /**
   * Starts a main class.
   *
   * @param environment added to this process's own
   * @param jvmOptions before the main class
   */
  public static JavaProcess start(
      String mainClass,
      Map<String, String> environment,
      List<String> jvmOptions,
      List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-cp",
            System.getProperty("java.class.path")));
    command.addAll(jvmOptions);
    command.add(mainClass);
    command.addAll(arguments);
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().putAll(environment);
    try {
      return new JavaProcess(builder.start());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Thread read(String name, BufferedReader lines, List<String> into) {
    return Thread.ofVirtual()
        .name(name)
        .start(
            () -> {
              try (lines) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                  into.add(line);
                }
              } catch (IOException e) {
                // The process was killed.
              }
            });
  }

  public long pid() {
    return process.pid();
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  /** Lines on standard output so far. */
  public List<String> output() {
    return List.copyOf(output);
  }

  /** Lines on standard error so far. */
  public List<String> errors() {
    return List.copyOf(errors);
  }

  /** Waits for a line on standard output. */
  public String awaitOutput(Predicate<String> wanted, Duration atMost) {
    return await(output, wanted, atMost);
  }

  /** Waits for a line on standard error. */
  public String awaitError(Predicate<String> wanted, Duration atMost) {
    return await(errors, wanted, atMost);
  }

  private String await(List<String> lines, Predicate<String> wanted, Duration atMost) {
    return Awaitility.await()
        .atMost(atMost)
        .pollInterval(Duration.ofMillis(10))
        .until(
            () -> {
              boolean over = !isAlive();
              Optional<String> line = found(lines, wanted);
              if (over && line.isEmpty()) {
                throw new AssertionError("the process ended: " + errors);
              }
              return line;
            },
            Optional::isPresent)
        .orElseThrow();
  }

  private static Optional<String> found(List<String> lines, Predicate<String> wanted) {
    return lines.stream().filter(wanted).findFirst();
  }

  /** Waits for the end and returns the exit code; all output has been read then. */
  public int awaitExit(Duration atMost) {
    try {
      if (!process.waitFor(atMost.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new AssertionError("still running after " + atMost + ": " + errors);
      }
      for (Thread reader : readers) {
        reader.join(atMost);
      }
      return process.exitValue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  /** Ends it as {@code kill -9} does. */
  public void kill() {
    process.destroyForcibly();
    awaitExit(Duration.ofSeconds(5));
  }

  /** Ends it as {@code kill} does. */
  public void terminate() {
    process.destroy();
  }

  /** Sends a signal by its name, for example {@code INT}. */
  public void signal(String name) {
    signal(process.toHandle(), name);
  }

  /** Sends any process a signal. */
  public static void signal(ProcessHandle process, String name) {
    try {
      new ProcessBuilder("kill", "-" + name, String.valueOf(process.pid())).start().waitFor();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** The processes it started, directly or not, that still run. */
  public List<ProcessHandle> descendants() {
    return process.descendants().toList();
  }

  @Override
  public void close() {
    List<ProcessHandle> children = descendants();
    process.destroyForcibly();
    children.forEach(ProcessHandle::destroyForcibly);
  }
}
