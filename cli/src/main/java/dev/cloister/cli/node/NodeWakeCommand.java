package dev.cloister.cli.node;

import dev.cloister.cli.argument.ProfileOptions;
import dev.cloister.cli.outcome.ExitCode;
import dev.cloister.client.CloisterClient;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code cloister node wake}. */
@Command(
    name = "wake",
    description = {
      "Send a machine that sleeps what wakes it (Wake-on-LAN), by broadcast from the coordinator.",
      "The machine must have it turned on, and be in a network that the broadcast reaches."
    },
    mixinStandardHelpOptions = true)
final class NodeWakeCommand implements Callable<Integer> {
  @Parameters(paramLabel = "NODE", description = "Its name or id, as 'node list' shows it.")
  private String name;

  @Mixin private ProfileOptions profile;

  @Override
  public Integer call() {
    try (CloisterClient client = profile.open()) {
      client.administration().wakeNode(name);
      return ExitCode.OK;
    }
  }
}
