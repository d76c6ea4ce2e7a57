package dev.cloister.cli;

import dev.cloister.cli.outcome.ExitCode;
import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code cloister completion}. */
@Command(
    name = "completion",
    description = "Print a completion script for bash and zsh.",
    mixinStandardHelpOptions = true,
    footer = {"", "Example:", "  source <(cloister completion)"})
final class CompletionCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    spec.commandLine().getOut().println(AutoComplete.bash("cloister", spec.root().commandLine()));
    return ExitCode.OK;
  }
}
