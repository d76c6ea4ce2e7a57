package dev.cloister.agent.fingerprint.host;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/** Real processes. A tool is looked up first, so that nothing is started where it is absent. */
public final class ProcessRunner implements CommandRunner {

  static final int OUTPUT_LIMIT = 1 << 20;

  /** Where drivers put their tools without adding them to a service's PATH. */
  private static final List<String> USUAL_PLACES =
      List.of(
          "/usr/bin",
          "/usr/sbin",
          "/usr/local/bin",
          "/opt/rocm/bin",
          "/usr/lib/wsl/lib",
          "C:\\Windows\\System32",
          "C:\\Program Files\\NVIDIA Corporation\\NVSMI");

  private final List<Path> searchPath;

  ProcessRunner(List<Path> searchPath) {
    this.searchPath = List.copyOf(searchPath);
  }

  /** Searches PATH, then the places where drivers are usually installed. */
  public static ProcessRunner ofThisMachine(Map<String, String> environment) {
    String path = environment.getOrDefault("PATH", "");
    boolean windows = File.separatorChar == '\\';
    return new ProcessRunner(
        Stream.concat(Stream.of(path.split(File.pathSeparator, -1)), USUAL_PLACES.stream())
            .filter(directory -> windows || directory.startsWith("/"))
            .filter(directory -> !directory.isBlank() && directory.indexOf('\0') < 0)
            .map(Path::of)
            .distinct()
            .toList());
  }

  @Override
  public Outcome run(List<String> command, Duration timeout) throws InterruptedException {
    Optional<Path> tool = find(command.getFirst());
    if (tool.isEmpty()) {
      return new Outcome.Missing();
    }
    String[] line = command.toArray(String[]::new);
    line[0] = tool.get().toString();
    ProcessBuilder builder = new ProcessBuilder(line);
    builder.environment().put("LC_ALL", "C");
    Process process;
    try {
      process = builder.start();
      process.getOutputStream().close();
    } catch (IOException notStarted) {
      return new Outcome.Missing();
    }
    CompletableFuture<String> stdout = output(process.getInputStream());
    CompletableFuture<String> stderr = output(process.getErrorStream());
    try {
      // A child that outlives the tool may keep an output open, so the timeout is for all three.
      CompletableFuture.allOf(process.onExit(), stdout, stderr)
          .get(timeout.toNanos(), TimeUnit.NANOSECONDS);
      return new Outcome.Completed(process.exitValue(), stdout.join(), stderr.join());
    } catch (TimeoutException late) {
      return new Outcome.TimedOut();
    } catch (ExecutionException impossible) {
      throw new IllegalStateException(impossible);
    } finally {
      kill(process);
    }
  }

  private Optional<Path> find(String name) {
    return searchPath.stream()
        .flatMap(directory -> Stream.of(directory.resolve(name), directory.resolve(name + ".exe")))
        .filter(file -> Files.isRegularFile(file) && Files.isExecutable(file))
        .findFirst();
  }

  /** Both outputs are read while the process runs: a full pipe would stop it. */
  private static CompletableFuture<String> output(InputStream stream) {
    return CompletableFuture.supplyAsync(
        () -> {
          ByteArrayOutputStream kept = new ByteArrayOutputStream();
          byte[] buffer = new byte[8192];
          try (stream) {
            for (int read = stream.read(buffer); read >= 0; read = stream.read(buffer)) {
              kept.write(buffer, 0, Math.min(read, OUTPUT_LIMIT - kept.size()));
            }
          } catch (IOException closed) {
            // The JDK closes it when the tool ends, even if a child of it holds the other side.
            return kept.toString(StandardCharsets.UTF_8);
          }
          return kept.toString(StandardCharsets.UTF_8);
        },
        Thread::startVirtualThread);
  }

  private static void kill(Process process) {
    // Taken before the parent dies: then they would be nobody's descendants.
    List<ProcessHandle> descendants = process.descendants().toList();
    process.destroyForcibly();
    descendants.forEach(ProcessHandle::destroyForcibly);
  }
}
