package dev.cloister.cli;

import dev.cloister.cli.access.KeyCommand;
import dev.cloister.cli.access.TokenCommand;
import dev.cloister.cli.doctor.DoctorCommand;
import dev.cloister.cli.engine.EngineCommand;
import dev.cloister.cli.member.AgentCommand;
import dev.cloister.cli.member.CoordinatorCommand;
import dev.cloister.cli.member.JoinCommand;
import dev.cloister.cli.model.ModelCommand;
import dev.cloister.cli.model.PsCommand;
import dev.cloister.cli.node.NodeCommand;
import dev.cloister.cli.outcome.Failures;
import dev.cloister.cli.outcome.Version;
import dev.cloister.cli.policy.PolicyCommand;
import dev.cloister.cli.quickstart.PrepareCommand;
import dev.cloister.cli.quickstart.QuickstartCommand;
import dev.cloister.cli.request.ChatCommand;
import dev.cloister.cli.request.ExplainCommand;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
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
    return commandLine(arguments).execute(arguments);
  }

  /** All commands, in the order of the help. */
  private static Map<String, Supplier<Object>> commands() {
    Map<String, Supplier<Object>> commands = new LinkedHashMap<>();
    commands.put("quickstart", QuickstartCommand::new);
    commands.put("coordinator", CoordinatorCommand::new);
    commands.put("agent", AgentCommand::new);
    commands.put("join", JoinCommand::new);
    commands.put("token", TokenCommand::new);
    commands.put("key", KeyCommand::new);
    commands.put("node", NodeCommand::new);
    commands.put("policy", PolicyCommand::new);
    commands.put("model", ModelCommand::new);
    commands.put("ps", PsCommand::new);
    commands.put("engine", EngineCommand::new);
    commands.put("chat", ChatCommand::new);
    commands.put("explain", ExplainCommand::new);
    commands.put("bench", BenchCommand::new);
    commands.put("doctor", DoctorCommand::new);
    commands.put("prepare", PrepareCommand::new);
    commands.put("completion", CompletionCommand::new);
    commands.put("version", VersionCommand::new);
    commands.put("help", HelpCommand::new);
    return commands;
  }

  /** The command line; only the command that is asked for is set up, for a quick start. */
  static CommandLine commandLine(String... arguments) {
    CommandLine line = new CommandLine(new Main());
    Map<String, Supplier<Object>> commands = commands();
    @Nullable Supplier<Object> asked = arguments.length == 0 ? null : commands.get(arguments[0]);
    // These speak of all the others.
    if (asked == null || Set.of("help", "completion").contains(arguments[0])) {
      commands.forEach((name, command) -> line.addSubcommand(name, command.get()));
    } else {
      line.addSubcommand(arguments[0], asked.get());
    }
    Failures failures = new Failures();
    return line.setOut(new PrintWriter(System.out, true, StandardCharsets.UTF_8))
        .setErr(new PrintWriter(System.err, true, StandardCharsets.UTF_8))
        .setExecutionExceptionHandler(failures)
        .setParameterExceptionHandler(failures)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setUsageHelpWidth(100);
  }
}
