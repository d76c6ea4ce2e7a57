package dev.cloister.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;

/** Entry of the {@code cloister} command. */
@Command(
    name = "cloister",
    description = "One private AI cluster out of your company's own machines.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    synopsisSubcommandLabel = "COMMAND",
    sortOptions = false,
    subcommands = {
      QuickstartCommand.class,
      CoordinatorCommand.class,
      AgentCommand.class,
      JoinCommand.class,
      TokenCommand.class,
      KeyCommand.class,
      NodeCommand.class,
      ModelCommand.class,
      ChatCommand.class,
      BenchCommand.class,
      CompletionCommand.class,
      VersionCommand.class,
      HelpCommand.class
    },
    footer = {
      "",
      "Start here:  cloister quickstart",
      "Exit codes:  0 done, 1 general, 2 usage, 3 not found, 4 not allowed, 5 unreachable,",
      "             6 no capacity, 7 timed out, 130 interrupted"
    })
public final class Main {
  private Main() {}

  /** Runs the command and ends the process with its exit code. */
  public static void main(String[] arguments) {
    System.exit(run(arguments));
  }

  static int run(String... arguments) {
    return commandLine().execute(arguments);
  }

  static CommandLine commandLine() {
    Failures failures = new Failures();
    return new CommandLine(new Main())
        .setOut(new PrintWriter(System.out, true, StandardCharsets.UTF_8))
        .setErr(new PrintWriter(System.err, true, StandardCharsets.UTF_8))
        .setExecutionExceptionHandler(failures)
        .setParameterExceptionHandler(failures)
        .setCaseInsensitiveEnumValuesAllowed(true);
  }
}
