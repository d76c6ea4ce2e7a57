package dev.cloister.cli.member;

import dev.cloister.agent.Agent;
import dev.cloister.agent.AgentConfig;
import dev.cloister.agent.stage.Listening;
import dev.cloister.agent.supervisor.NodeOptions;
import dev.cloister.cli.argument.Directories;
import dev.cloister.cli.argument.LibraryCacheOptions;
import dev.cloister.cli.argument.Network;
import dev.cloister.cli.argument.SizeConverter;
import dev.cloister.cli.outcome.CommandFailedException;
import dev.cloister.cli.outcome.ExitCode;
import dev.cloister.cli.outcome.Version;
import dev.cloister.cli.process.JavaCommand;
import dev.cloister.cli.process.ParentPipe;
import dev.cloister.cli.process.Shutdown;
import dev.cloister.identity.MemberKey;
import dev.cloister.identity.enrollment.Membership;
import dev.cloister.identity.token.JoinToken;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Clock;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code cloister agent}. */
@Command(
    name = "agent",
    description = "Run the agent of this machine.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = AgentCommand.Start.class)
public final class AgentCommand {

  /** {@code cloister agent start}. */
  @Command(
      name = "start",
      description = "Offer this machine to a cluster and stay until Ctrl-C.",
      mixinStandardHelpOptions = true,
      sortOptions = false,
      footer = {
        "",
        "Examples:",
        "  cloister agent start --join clj1....     the first time",
        "  cloister agent start                     from then on",
        "",
        "The token may come from CLOISTER_JOIN_TOKEN instead, where 'ps' does not show it."
      })
  static final class Start implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Option(
        names = "--join",
        paramLabel = "TOKEN",
        defaultValue = "${env:CLOISTER_JOIN_TOKEN}",
        description = {
          "A join token made on the coordinator with 'cloister token create'; '-' reads it from",
          "standard input. Needed once: the machine stays a member."
        })
    private @Nullable String join;

    @Option(
        names = "--data",
        paramLabel = "DIR",
        description = "Where the agent keeps its identity and models (default: ~/.cloister/agent).")
    private @Nullable Path data;

    @Option(
        names = "--name",
        paramLabel = "NAME",
        description = "What people are to call this machine (default: its host name).")
    private @Nullable String name;

    @Option(
        names = "--listen",
        paramLabel = "HOST:PORT|none",
        description = {
          "Where to listen for other agents of the cluster, for models that are spread over",
          "machines (default: the address of this machine that leads to the coordinator, any free",
          "port). With 'none', as where others cannot reach it, what they send goes through the",
          "coordinator."
        })
    private @Nullable String listen;

    @Mixin private NodeFlags owner;

    @Option(
        names = "--disk-limit",
        paramLabel = "SIZE",
        converter = SizeConverter.class,
        description = {
          "Disk that models' files on this machine may take, all together (default: all but half a",
          "GiB). What needs more is not fetched."
        })
    private @Nullable Long diskLimit;

    @ArgGroup(
        validate = false,
        heading = "%nWhen this machine works (what the coordinator says may be stricter):%n")
    private CourtesyFlags courtesy = new CourtesyFlags();

    @Mixin private LibraryCacheOptions libraries;

    @Option(names = "--exit-with-parent", hidden = true)
    private boolean exitWithParent;

    @Override
    public Integer call() throws InterruptedException, IOException {
      NodeOptions options = owner.options();
      Path directory = data == null ? Directories.agent() : data.toAbsolutePath();
      Membership membership = membership(directory);
      AgentConfig config =
          new AgentConfig(
              directory,
              JavaCommand.engine("info"),
              Directories.bundledModels(),
              libraries.directory(),
              InstalledEngine.in(libraries.directory()),
              options,
              diskLimit == null ? OptionalLong.empty() : OptionalLong.of(diskLimit),
              courtesy.ofOwner(),
              listening(),
              Version.current());
      Agent agent = started(config, membership);
      Shutdown.closeAtExit(agent);
      if (exitWithParent) {
        ParentPipe.exitWhenClosed(System.in);
      }
      try {
        throw new CommandFailedException(ExitCode.NOT_ALLOWED, agent.end().get());
      } catch (ExecutionException e) {
        throw new IllegalStateException("never completed with a failure", e);
      }
    }

    private Listening listening() {
      if (listen == null) {
        return new Listening.Automatic();
      }
      return listen.equals("none")
          ? new Listening.Nowhere()
          : new Listening.At(Network.address(listen, "--listen"));
    }

    private static Agent started(AgentConfig config, Membership membership) {
      try {
        return Agent.start(config, membership, Clock.systemUTC());
      } catch (IOException e) {
        throw new CommandFailedException(ExitCode.GENERAL, String.valueOf(e.getMessage()));
      }
    }

    private Membership membership(Path directory) throws IOException {
      Optional<Membership> known = Membership.load(directory);
      if (known.isPresent()) {
        Instant end = known.get().identity().current().leaf().getNotAfter().toInstant();
        if (end.isAfter(Instant.now())) {
          return known.get();
        }
        if (join == null) {
          throw new CommandFailedException(
              ExitCode.NOT_ALLOWED,
              "this machine was away for too long: its certificate expired at "
                  + end
                  + "; join again with a new token: cloister agent start --join TOKEN");
        }
      }
      if (join == null) {
        throw new CommandFailedException(
            ExitCode.USAGE,
            "this machine is not a member of a cluster yet; create a token on the coordinator with"
                + " 'cloister token create' and start with --join TOKEN");
      }
      // Before the token, which may still be on its way.
      KeyPair keys = MemberKey.generate();
      JoinToken token = JoinToken.parse(join.equals("-") ? firstLine() : join);
      Membership joined = Membership.join(token, directory, name == null ? hostName() : name, keys);
      spec.commandLine().getErr().println("joined the cluster at " + token.address());
      return joined;
    }

    /** Byte by byte: what follows the line is not ours. */
    private static String firstLine() throws IOException {
      StringBuilder line = new StringBuilder();
      for (int c = System.in.read(); c >= 0 && c != '\n'; c = System.in.read()) {
        line.append((char) c);
      }
      return line.toString();
    }

    private static String hostName() {
      try {
        return InetAddress.getLocalHost().getHostName();
      } catch (UnknownHostException e) {
        return "node";
      }
    }
  }
}
