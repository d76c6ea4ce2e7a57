package dev.cloister.cli;

import dev.cloister.bench.EngineBenchmark;
import dev.cloister.bench.FamiliesReport;
import dev.cloister.bench.RouteBenchmark;
import dev.cloister.bench.StartBenchmark;
import dev.cloister.bench.cluster.AgentsBenchmark;
import dev.cloister.bench.cluster.PathBenchmark;
import dev.cloister.bench.simulation.FleetBenchmark;
import dev.cloister.bench.simulation.Recording;
import dev.cloister.bench.simulation.Request;
import dev.cloister.bench.split.SplitBenchmark;
import dev.cloister.cli.argument.Directories;
import dev.cloister.cli.argument.LibraryCacheOptions;
import dev.cloister.cli.member.GgufModelFiles;
import dev.cloister.cli.outcome.CommandFailedException;
import dev.cloister.cli.outcome.ExitCode;
import dev.cloister.cli.process.JavaCommand;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code cloister bench}. */
@Command(
    name = "bench",
    description = "Measure this version on this machine.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      BenchCommand.Start.class,
      BenchCommand.Engine.class,
      BenchCommand.Split.class,
      BenchCommand.Route.class,
      BenchCommand.Fleet.class,
      BenchCommand.WholePath.class,
      BenchCommand.Agents.class,
      BenchCommand.Families.class
    })
final class BenchCommand {

  private static Path demoModel() {
    return Directories.demoModel()
        .orElseThrow(
            () -> new CommandFailedException(ExitCode.NOT_FOUND, "the demo model is missing"));
  }

  /** {@code cloister bench start}. */
  @Command(
      name = "start",
      description = "How fast the coordinator and the quickstart are up.",
      mixinStandardHelpOptions = true)
  static final class Start implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Mixin private BenchOptions options;

    @Override
    public Integer call() throws Exception {
      StartBenchmark benchmark =
          new StartBenchmark(
              JavaCommand.of("dev.cloister.cli.Main", "warn"), options.quick() ? 3 : 10);
      benchmark.run(spec.commandLine().getOut(), options.json());
      return ExitCode.OK;
    }
  }

  /** {@code cloister bench engine}. */
  @Command(
      name = "engine",
      description = {
        "How fast the engine is beside java-llama.cpp's Java API.",
        "Needs 6 GiB of memory and 2 GiB of temporary disk space."
      },
      mixinStandardHelpOptions = true)
  static final class Engine implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Mixin private BenchOptions options;

    @Option(
        names = "--threads",
        paramLabel = "N",
        description = "Threads of each engine; all processors but one unless given.")
    private int threads;

    @Mixin private LibraryCacheOptions libraryCache;

    @Override
    public Integer call() throws Exception {
      int allButOne = Math.max(1, Runtime.getRuntime().availableProcessors() - 1);
      EngineBenchmark benchmark =
          new EngineBenchmark(
              new EngineBenchmark.Settings(
                  demoModel(),
                  libraryCache.directory(),
                  JavaCommand.engine("warn"),
                  threads == 0 ? allButOne : threads,
                  options.quick() ? 2 : 3,
                  options.quick()),
              spec.commandLine().getErr());
      benchmark.run(spec.commandLine().getOut(), options.json());
      return ExitCode.OK;
    }
  }

  /** {@code cloister bench families}. */
  @Command(
      name = "families",
      description = {
        "Which model families compute the same in stages as whole, bit for bit.",
        "Prints docs/families.md, of the libraries in the library cache."
      },
      mixinStandardHelpOptions = true)
  static final class Families implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the proofs to a file too.")
    private @Nullable Path json;

    @Mixin private LibraryCacheOptions libraryCache;

    @Override
    public Integer call() throws Exception {
      FamiliesReport report =
          new FamiliesReport(libraryCache.directory(), spec.commandLine().getErr());
      return report.run(spec.commandLine().getOut(), json) ? ExitCode.OK : ExitCode.GENERAL;
    }
  }

  /** {@code cloister bench split}. */
  @Command(
      name = "split",
      description = {
        "How fast a model in two stages is beside the whole one, a core each.",
        "Needs 6 GiB of memory and 3 GiB of temporary disk space."
      },
      mixinStandardHelpOptions = true)
  static final class Split implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Mixin private BenchOptions options;

    @Mixin private LibraryCacheOptions libraryCache;

    @Override
    public Integer call() throws Exception {
      SplitBenchmark benchmark =
          new SplitBenchmark(
              new SplitBenchmark.Settings(
                  libraryCache.directory(),
                  new GgufModelFiles(),
                  JavaCommand.engine("warn"),
                  options.quick() ? 2 : 3,
                  options.quick(),
                  options.quick() ? 512 : 2000),
              spec.commandLine().getErr());
      benchmark.run(spec.commandLine().getOut(), options.json());
      return ExitCode.OK;
    }
  }

  /** {@code cloister bench route}. */
  @Command(
      name = "route",
      description = "How long a decision takes where a request goes.",
      mixinStandardHelpOptions = true)
  static final class Route implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Mixin private BenchOptions options;

    @Override
    public Integer call() throws Exception {
      new RouteBenchmark(options.quick()).run(spec.commandLine().getOut(), options.json());
      return ExitCode.OK;
    }
  }

  /** {@code cloister bench fleet}. */
  @Command(
      name = "fleet",
      description = {
        "What routing is worth to a fleet, beside simpler ways, in simulated time.",
        "The same seed gives the same numbers on every machine."
      },
      mixinStandardHelpOptions = true)
  static final class Fleet implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Mixin private BenchOptions options;

    @Option(
        names = "--seed",
        paramLabel = "N",
        defaultValue = "1",
        description = "Where chance begins; ${DEFAULT-VALUE} unless given.")
    private long seed;

    @Option(
        names = "--arrivals",
        paramLabel = "FILE",
        description = {
          "Simulate recorded requests instead, lines of",
          "seconds,caller,prompt_tokens,prefix,answer_tokens (docs/benchmarks.md)."
        })
    private @Nullable Path arrivals;

    @Override
    public Integer call() throws Exception {
      FleetBenchmark benchmark = new FleetBenchmark(options.quick(), seed);
      if (arrivals == null) {
        benchmark.run(spec.commandLine().getOut(), options.json());
      } else {
        benchmark.run(recorded(arrivals), spec.commandLine().getOut(), options.json());
      }
      return ExitCode.OK;
    }

    private static List<Request> recorded(Path file) {
      try {
        return Recording.read(file);
      } catch (IOException e) {
        throw new CommandFailedException(
            ExitCode.USAGE, "the requests cannot be read: " + e.getMessage());
      }
    }
  }

  /** {@code cloister bench path}. */
  @Command(
      name = "path",
      description = {
        "What the way through HTTP, coordinator and agent adds to the engine, and how long a"
            + " caller",
        "waits whose node is killed. Starts clusters on this machine.",
        "Needs 3 GiB of memory and 2 GiB of temporary disk space."
      },
      mixinStandardHelpOptions = true)
  static final class WholePath implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Mixin private BenchOptions options;

    @Mixin private LibraryCacheOptions libraryCache;

    @Override
    public Integer call() throws Exception {
      PathBenchmark benchmark =
          new PathBenchmark(
              new PathBenchmark.Settings(
                  JavaCommand.longRunning("info"),
                  libraryCache.directory(),
                  demoModel(),
                  options.quick()),
              spec.commandLine().getErr());
      benchmark.run(spec.commandLine().getOut(), options.json());
      return ExitCode.OK;
    }
  }

  /** {@code cloister bench agents}. */
  @Command(
      name = "agents",
      description = {
        "What a thousand agents cost a coordinator: processor and memory.",
        "The agents are simulated, their connections are real."
      },
      mixinStandardHelpOptions = true)
  static final class Agents implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Mixin private BenchOptions options;

    @Override
    public Integer call() throws Exception {
      AgentsBenchmark benchmark =
          new AgentsBenchmark(
              new AgentsBenchmark.Settings(
                  JavaCommand.longRunning("info"), demoModel(), options.quick()),
              spec.commandLine().getErr());
      benchmark.run(spec.commandLine().getOut(), options.json());
      return ExitCode.OK;
    }
  }
}
