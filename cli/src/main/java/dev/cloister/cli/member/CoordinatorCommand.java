package dev.cloister.cli.member;

import dev.cloister.cli.argument.Directories;
import dev.cloister.cli.argument.Network;
import dev.cloister.cli.outcome.CommandFailedException;
import dev.cloister.cli.outcome.ExitCode;
import dev.cloister.cli.outcome.OutputOptions;
import dev.cloister.cli.process.ParentPipe;
import dev.cloister.cli.process.Shutdown;
import dev.cloister.coordinator.Coordinator;
import dev.cloister.coordinator.CoordinatorConfig;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code cloister coordinator}. */
@Command(
    name = "coordinator",
    description = "Run the coordinator.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = CoordinatorCommand.Start.class)
public final class CoordinatorCommand {

  /** {@code cloister coordinator start}. */
  @Command(
      name = "start",
      description = "Start a coordinator and stay until Ctrl-C.",
      mixinStandardHelpOptions = true,
      sortOptions = false,
      footer = {
        "",
        "Examples:",
        "  cloister coordinator start",
        "  cloister coordinator start --host 192.168.1.10 --api-host 192.168.1.10",
        "  cloister coordinator start --model qwen=/models/qwen2.5-7b-instruct-q4_k_m.gguf",
        "",
        "The passphrase of the cluster's root key is taken from CLOISTER_CA_PASSPHRASE or the file",
        "CLOISTER_CA_PASSPHRASE_FILE; without either, one is made and kept beside the key."
      })
  static final class Start implements Callable<Integer> {
    @Spec private CommandSpec spec;
    @Mixin private OutputOptions output;

    @Option(
        names = "--data",
        paramLabel = "DIR",
        description = "Where the coordinator keeps its state (default: ~/.cloister/coordinator).")
    private @Nullable Path data;

    @Option(
        names = "--host",
        paramLabel = "ADDRESS",
        defaultValue = "127.0.0.1",
        description = {
          "The address of this machine that agents dial (default: ${DEFAULT-VALUE}, this machine",
          "only). 0.0.0.0 listens on all; then give --advertise too."
        })
    private String host;

    @Option(
        names = "--port",
        defaultValue = "7443",
        paramLabel = "PORT",
        description = "The cluster port: gRPC over mutual TLS (default: ${DEFAULT-VALUE}).")
    private int port;

    @Option(
        names = "--advertise",
        paramLabel = "HOST",
        description = "The host that goes into join tokens (default: that of --host).")
    private @Nullable String advertise;

    @Option(
        names = "--api-host",
        paramLabel = "ADDRESS",
        defaultValue = "127.0.0.1",
        description = {
          "The address the HTTP API listens on (default: ${DEFAULT-VALUE}). Other than loopback it",
          "speaks HTTPS with a certificate of the cluster's authority."
        })
    private String apiHost;

    @Option(
        names = "--api-port",
        paramLabel = "PORT",
        defaultValue = "8080",
        description = "The port of the HTTP API (default: ${DEFAULT-VALUE}).")
    private int apiPort;

    @Option(
        names = "--model",
        paramLabel = "NAME=FILE",
        description = {
          "A GGUF file to serve under a name; may be repeated. It stays in the catalog (default:",
          "the demo model, as cloister-tiny)."
        })
    private Map<String, Path> models = new LinkedHashMap<>();

    @ArgGroup(
        validate = false,
        heading =
            "%nWhen machines work, where 'policy set' said nothing (their owners may be"
                + " stricter):%n")
    private CourtesyFlags courtesy = new CourtesyFlags();

    @Option(names = "--exit-with-parent", hidden = true)
    private boolean exitWithParent;

    /** For the quickstart: tokens for so many agents and an API key, in the announcement. */
    @Option(names = "--bootstrap", hidden = true, defaultValue = "-1")
    private int bootstrap;

    /** For the quickstart: over how many nodes the models are spread. */
    @Option(names = "--split", hidden = true)
    private @Nullable Integer split;

    @Override
    public Integer call() throws InterruptedException {
      InetSocketAddress cluster = Network.address(host, port, "--port");
      if (cluster.getAddress().isAnyLocalAddress() && advertise == null) {
        throw new CommandFailedException(
            ExitCode.USAGE,
            "--host "
                + host
                + " listens on every address; say with --advertise HOST which of them"
                + " agents are to dial");
      }
      if (models.isEmpty()) {
        Directories.demoModel().ifPresent(file -> models.put("cloister-tiny", file));
      }
      Path directory = data == null ? Directories.coordinator() : data.toAbsolutePath();
      @Nullable String passphraseFile = System.getenv("CLOISTER_CA_PASSPHRASE_FILE");
      Coordinator coordinator =
          Coordinator.start(
              new CoordinatorConfig(
                  directory,
                  cluster,
                  Optional.ofNullable(advertise),
                  Network.address(apiHost, apiPort, "--api-port"),
                  models,
                  split == null ? OptionalInt.empty() : OptionalInt.of(split),
                  new GgufModelFiles(),
                  courtesy.ofCoordinator(),
                  System.getenv("CLOISTER_CA_PASSPHRASE"),
                  passphraseFile == null ? null : Path.of(passphraseFile)),
              Clock.systemUTC());
      Shutdown.closeAtExit(coordinator);
      if (exitWithParent) {
        ParentPipe.exitWhenClosed(System.in);
      }
      announce(coordinator, directory, cluster);
      Shutdown.awaitForever();
      return ExitCode.OK;
    }

    private void announce(Coordinator coordinator, Path directory, InetSocketAddress cluster) {
      Path profile = Directories.administrator(directory);
      if (output.json()) {
        output.print(
            spec,
            json -> {
              json.writeStartObject();
              json.writeStringField("api", coordinator.apiUrl());
              json.writeNumberField("cluster_port", coordinator.clusterPort());
              json.writeStringField("admin_profile", profile.toString());
              if (bootstrap >= 0) {
                json.writeStringField(
                    "api_key", coordinator.createApiKey("quickstart-" + UUID.randomUUID()));
                json.writeArrayFieldStart("join_tokens");
                for (int i = 0; i < bootstrap; i++) {
                  json.writeString(coordinator.admitAgent(Duration.ofMinutes(2)));
                }
                json.writeEndArray();
              }
              json.writeEndObject();
            });
        return;
      }
      PrintWriter out = spec.commandLine().getOut();
      String option = data == null ? "" : " --profile " + profile;
      out.println("The coordinator is up.");
      out.println("  API            " + coordinator.apiUrl() + "/v1");
      out.println("  cluster port   " + coordinator.clusterPort());
      if (cluster.getAddress().isLoopbackAddress()) {
        out.println("  reachable from this machine only; admit others with --host ADDRESS");
      }
      out.println("Next:");
      out.println("  cloister token create" + option + "     a token for a new agent");
      out.println("  cloister key create me" + option + "    a key for the API");
    }
  }
}
