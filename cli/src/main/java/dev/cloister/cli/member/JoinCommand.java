package dev.cloister.cli.member;

import dev.cloister.cli.argument.Directories;
import dev.cloister.cli.outcome.ExitCode;
import dev.cloister.client.CloisterClient;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code cloister join}. */
@Command(
    name = "join",
    description = "Make this user a client or administrator of a cluster.",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footer = {
      "",
      "Example:",
      "  on the coordinator:  cloister token create --role client",
      "  here:                cloister join clj1....",
      "  then:                cloister chat"
    })
public final class JoinCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "TOKEN", description = "A join token for role client or admin.")
  private String token;

  @Option(
      names = "--profile",
      paramLabel = "DIR",
      description = "Where to keep the identity (default: ~/.cloister/client).")
  private @Nullable Path profile;

  @Override
  public Integer call() {
    Path directory = profile == null ? Directories.client() : profile.toAbsolutePath();
    CloisterClient.join(token, directory, System.getProperty("user.name", "client"));
    spec.commandLine().getErr().println("joined; the identity is kept in " + directory);
    return ExitCode.OK;
  }
}
