package dev.cloister.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** How long the coordinator takes to decide where a request goes, measured with JMH. */
public final class RouteBenchmark {
  private final boolean quick;

  /**
   * @param quick fewer and shorter runs
   */
  public RouteBenchmark(boolean quick) {
    this.quick = quick;
  }

  /**
   * Measures and reports.
   *
   * @param json gets the rows too, unless null
   * @throws IOException if a run fails
   */
  public void run(PrintWriter out, @Nullable Path json) throws IOException {
    List<Row> rows = new ArrayList<>();
    for (RunResult result : measure()) {
      String nodes = result.getParams().getParam("nodes");
      rows.add(
          new Row(
              "decision-" + nodes + "-nodes",
              "us",
              nodes.equals("1000") ? 10 : 60,
              "lower",
              result.getBenchmarkResults().stream()
                  .map(run -> run.getPrimaryResult().getStatistics().getPercentile(50) / 1_000)
                  .toList()));
    }
    Report.print(out, rows);
    if (json != null) {
      Report.write(json, "route", "cloister bench route", rows);
    }
  }

  private Iterable<RunResult> measure() throws IOException {
    try {
      return new Runner(
              new OptionsBuilder()
                  .include("\\." + RouteDecision.class.getSimpleName() + "\\.")
                  .forks(quick ? 1 : 5)
                  .warmupIterations(quick ? 2 : 5)
                  .warmupTime(TimeValue.seconds(1))
                  .measurementIterations(quick ? 2 : 5)
                  .measurementTime(TimeValue.seconds(1))
                  .jvmArgs("-XX:+UseSerialGC", "-Xmx512m", "--sun-misc-unsafe-memory-access=allow")
                  .verbosity(VerboseMode.SILENT)
                  .build())
          .run();
    } catch (RunnerException e) {
      throw new IOException("the decisions could not be measured: " + e.getMessage(), e);
    }
  }
}
