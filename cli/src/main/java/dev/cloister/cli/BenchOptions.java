package dev.cloister.cli;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What benchmarks that print rows are asked. */
final class BenchOptions {
  @Option(names = "--quick", description = "Fewer and smaller measurements, for a look.")
  private boolean quick;

  @Option(names = "--json", paramLabel = "FILE", description = "Write the rows to a file too.")
  private @Nullable Path json;

  boolean quick() {
    return quick;
  }

  @Nullable Path json() {
    return json;
  }
}
