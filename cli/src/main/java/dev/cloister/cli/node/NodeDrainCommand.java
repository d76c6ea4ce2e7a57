package dev.cloister.cli.node;

import dev.cloister.cli.argument.DurationConverter;
import dev.cloister.cli.argument.ProfileOptions;
import dev.cloister.cli.outcome.ExitCode;
import dev.cloister.cli.outcome.OutputOptions;
import dev.cloister.client.CloisterClient;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code cloister node drain} and {@code resume}. */
final class NodeDrainCommand {
  private NodeDrainCommand() {}

  /** {@code cloister node drain}. */
  @Command(
      name = "drain",
      description = {
        "Give a machine no new requests until 'node resume', also when it or the coordinator",
        "starts anew. What runs there may finish until the deadline; then other nodes go on with",
        "it, without a gap for its caller. What no other node can go on with is left to finish.",
        "Its models stay loaded; layers of split models go to other nodes after the deadline, if",
        "these have room."
      },
      mixinStandardHelpOptions = true,
      sortOptions = false,
      footer = {"", "Example:", "  cloister node drain desk --deadline 2m"})
  static final class Drain implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Parameters(paramLabel = "NODE", description = "Its name or id, as 'node list' shows it.")
    private String name;

    @Option(
        names = "--deadline",
        paramLabel = "DURATION",
        defaultValue = "30s",
        converter = DurationConverter.class,
        description = "How long what runs may take, at most 1d (default: ${DEFAULT-VALUE}).")
    private Duration deadline;

    @Mixin private ProfileOptions profile;
    @Mixin private OutputOptions output;

    @Override
    public Integer call() {
      try (CloisterClient client = profile.open()) {
        client.administration().drainNode(name, deadline);
        NodeCommand.show(spec, output, NodeCommand.find(client, name));
        return ExitCode.OK;
      }
    }
  }

  /** {@code cloister node resume}. */
  @Command(
      name = "resume",
      description = "Give a machine requests again that was drained.",
      mixinStandardHelpOptions = true)
  static final class Resume implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Parameters(paramLabel = "NODE", description = "Its name or id, as 'node list' shows it.")
    private String name;

    @Mixin private ProfileOptions profile;
    @Mixin private OutputOptions output;

    @Override
    public Integer call() {
      try (CloisterClient client = profile.open()) {
        client.administration().resumeNode(name);
        NodeCommand.show(spec, output, NodeCommand.find(client, name));
        return ExitCode.OK;
      }
    }
  }
}
