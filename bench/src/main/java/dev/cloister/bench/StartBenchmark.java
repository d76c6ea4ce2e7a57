package dev.cloister.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** How long it takes from a command to a coordinator that is up, and to an answer. */
public final class StartBenchmark {
  private final List<String> command;
  private final int runs;

  /**
   * @param command what starts {@code cloister}, without arguments
   */
  public StartBenchmark(List<String> command, int runs) {
    this.command = List.copyOf(command);
    this.runs = runs;
  }

  /**
   * Measures and reports.
   *
   * @param json gets the rows too, unless null
   * @throws IOException if a process cannot be started or answers wrongly
   */
  public void run(PrintWriter out, @Nullable Path json) throws IOException, InterruptedException {
    List<Double> coordinator = new ArrayList<>();
    List<Double> quickstart = new ArrayList<>();
    // The first fills the caches of the file system.
    coordinatorUp();
    answered();
    for (int i = 0; i < runs; i++) {
      coordinator.add(coordinatorUp());
      quickstart.add(answered());
    }
    List<Row> rows =
        List.of(
            new Row("coordinator-up", "s", 1.5, "lower", coordinator),
            new Row("quickstart-once", "s", 4.0, "lower", quickstart));
    Report.print(out, rows);
    if (json != null) {
      Report.write(json, "start", "cloister bench start", rows);
    }
  }

  private double coordinatorUp() throws IOException, InterruptedException {
    try (ScratchDirectory data = new ScratchDirectory()) {
      long begin = System.nanoTime();
      Process process =
          start(
              "coordinator",
              "start",
              "--json",
              "--exit-with-parent",
              "--port",
              "0",
              "--api-port",
              "0",
              "--data",
              data.path().toString());
      try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
        if (lines.readLine() == null) {
          throw new IOException("the coordinator did not start");
        }
        return seconds(begin);
      } finally {
        process.destroy();
        process.waitFor(5, TimeUnit.SECONDS);
      }
    }
  }

  private double answered() throws IOException, InterruptedException {
    long begin = System.nanoTime();
    Process process = start("quickstart", "--once", "--prompt", "What is the capital of France?");
    try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
      String answer = lines.readLine();
      process.waitFor();
      if (answer == null || !answer.contains("Paris")) {
        throw new IOException("the quickstart did not answer as expected");
      }
      return seconds(begin);
    }
  }

  private Process start(String... arguments) throws IOException {
    List<String> line = new ArrayList<>(command);
    line.addAll(List.of(arguments));
    return new ProcessBuilder(line).redirectError(ProcessBuilder.Redirect.DISCARD).start();
  }

  private static double seconds(long begin) {
    return (System.nanoTime() - begin) / 1e9;
  }
}
