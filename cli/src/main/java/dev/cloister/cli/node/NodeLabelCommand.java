package dev.cloister.cli.node;

import dev.cloister.cli.argument.LabelArguments;
import dev.cloister.cli.argument.ProfileOptions;
import dev.cloister.cli.outcome.ExitCode;
import dev.cloister.cli.outcome.OutputOptions;
import dev.cloister.client.CloisterClient;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code cloister node label}. */
@Command(
    name = "label",
    description = {
      "Give a machine labels, which models and API keys may require. What the machine may not see",
      "any more leaves it at once. A machine cannot label itself."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Examples:",
      "  cloister node label rack1 site=hq class=server",
      "  cloister node label rack1 class-                 remove it"
    })
final class NodeLabelCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(
      index = "0",
      paramLabel = "NODE",
      description = "Its name or id, as 'node list' shows it.")
  private String name;

  @Parameters(
      index = "1..*",
      arity = "1..*",
      paramLabel = "LABEL",
      description = "site=hq sets a label, site- removes it.")
  private List<String> labels;

  @Mixin private ProfileOptions profile;
  @Mixin private OutputOptions output;

  @Override
  public Integer call() {
    try (CloisterClient client = profile.open()) {
      client.administration().labelNode(name, LabelArguments.change(labels));
      NodeCommand.show(spec, output, NodeCommand.find(client, name));
      return ExitCode.OK;
    }
  }
}
