package dev.cloister.cli;

import dev.cloister.bench.StartBenchmark;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code cloister bench}. */
@Command(
    name = "bench",
    description = "Measure this version on this machine.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = BenchCommand.Start.class)
final class BenchCommand {

  /** {@code cloister bench start}. */
  @Command(
      name = "start",
      description = "How fast the coordinator and the quickstart are up.",
      mixinStandardHelpOptions = true)
  static final class Start implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Option(names = "--quick", description = "Fewer runs, for a look.")
    private boolean quick;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the rows to a file too.")
    private @Nullable Path json;

    @Override
    public Integer call() throws Exception {
      StartBenchmark benchmark =
          new StartBenchmark(JavaCommand.of("dev.cloister.cli.Main", "warn"), quick ? 3 : 10);
      benchmark.run(spec.commandLine().getOut(), json);
      return ExitCode.OK;
    }
  }
}
