package dev.cloister.cli.doctor;

import dev.cloister.agent.courtesy.Observation;
import dev.cloister.agent.engine.IoThread;
import dev.cloister.agent.fingerprint.Capability;
import dev.cloister.agent.fingerprint.Fingerprint;
import dev.cloister.agent.fingerprint.host.MemorySpeed;
import dev.cloister.agent.fingerprint.host.Swap;
import dev.cloister.agent.stage.LinkMeter;
import dev.cloister.cli.argument.Directories;
import dev.cloister.cli.argument.ProfileOptions;
import dev.cloister.cli.outcome.CommandFailedException;
import dev.cloister.cli.outcome.ExitCode;
import dev.cloister.cli.outcome.OutputOptions;
import dev.cloister.client.CloisterClient;
import dev.cloister.client.CloisterException;
import dev.cloister.client.NodeInfo;
import dev.cloister.identity.PrivateFileException;
import dev.cloister.identity.enrollment.Membership;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code cloister doctor}. */
@Command(
    name = "doctor",
    description = {
      "Check this machine.",
      "With --split: how well it is made for holding some of a model's layers, and what limits it.",
      "With --courtesy: what can be told here by those options of 'agent start' that have a"
          + " machine",
      "pause."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footer = {
      "",
      "Run it on the machine of an agent. It computes for some tenths of a second. Round trip and",
      "rate to the coordinator are measured where the machine is a member (some 10 MiB are sent);",
      "the clock is compared where a profile is there. The ways to other agents are measured by",
      "these while a model is split: see 'cloister model plan'."
    })
public final class DoctorCommand implements Callable<Integer> {
  private static final int CONNECTIONS = 5;
  private static final Duration LONGEST_CONNECTION = Duration.ofSeconds(2);

  @Spec private CommandSpec spec;

  @Option(names = "--split", description = "Check it for split models.")
  private boolean split;

  @Option(names = "--courtesy", description = "Check what a machine pauses by.")
  private boolean courtesy;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "The agent's data directory (default: ~/.cloister/agent).")
  private @Nullable Path data;

  @Mixin private ProfileOptions profile;
  @Mixin private OutputOptions output;

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (split == courtesy) {
      throw new CommandFailedException(
          ExitCode.USAGE, "say what is to be checked (expected: --split or --courtesy)");
    }
    if (courtesy) {
      Observation seen = CourtesyCheck.observe();
      if (output.json()) {
        output.print(spec, json -> CourtesyCheck.write(json, seen));
      } else {
        OutputOptions.table(
            spec.commandLine().getOut(),
            List.of("part", "found", "option"),
            CourtesyCheck.rows(seen));
      }
      return ExitCode.OK;
    }
    Path directory = data == null ? Directories.agent() : data.toAbsolutePath();
    Optional<Membership> membership = membership(directory);
    Capability capability = new Fingerprint(directory).take();
    SplitCheck check =
        SplitCheck.of(
            new SplitCheck.Measured(
                capability.memory().totalBytes(),
                capability.memory().availableBytes(),
                Swap.ofThisMachine(),
                MemorySpeed.bytesPerSecond(Clock.systemUTC(), capability.cpu().physicalCores()),
                capability.links(),
                roundTrip(membership),
                membership.map(DoctorCommand::wayToCoordinator),
                clockOffset()));
    if (output.json()) {
      output.print(
          spec,
          json -> {
            json.writeStartObject();
            json.writeArrayFieldStart("findings");
            for (SplitCheck.Finding finding : check.findings()) {
              json.writeStartObject();
              json.writeStringField("part", finding.part());
              json.writeStringField("found", finding.found());
              json.writeBooleanField("good", finding.isGood());
              json.writeStringField("advice", finding.isGood() ? "" : finding.advice());
              json.writeEndObject();
            }
            json.writeEndArray();
            json.writeStringField("weakest", check.weakest().part());
            json.writeEndObject();
          });
    } else {
      print(check);
    }
    return ExitCode.OK;
  }

  private void print(SplitCheck check) {
    PrintWriter out = spec.commandLine().getOut();
    OutputOptions.table(
        out,
        List.of("part", "found", ""),
        check.findings().stream()
            .map(
                finding ->
                    List.of(
                        finding.part(),
                        finding.found(),
                        finding.isGood() ? "good" : finding.advice()))
            .toList());
    out.println();
    out.println(check.verdict());
  }

  private static Optional<Membership> membership(Path agent) {
    try {
      return Membership.load(agent);
    } catch (PrivateFileException e) {
      return Optional.empty();
    }
  }

  private static LinkMeter.Result wayToCoordinator(Membership member) {
    try (IoThread thread = new IoThread()) {
      return new LinkMeter(member.identity(), member.coordinator(), thread, Clock.systemUTC())
          .measure(Optional.empty(), LinkMeter.MOST_BYTES);
    }
  }

  /** The quickest of some connections; a connection takes one round trip. */
  private static Optional<Duration> roundTrip(Optional<Membership> membership) {
    return membership.flatMap(member -> quickest(URI.create("cluster://" + member.coordinator())));
  }

  private static Optional<Duration> quickest(URI coordinator) {
    Optional<Duration> best = Optional.empty();
    for (int i = 0; i < CONNECTIONS; i++) {
      InetSocketAddress address =
          new InetSocketAddress(coordinator.getHost(), coordinator.getPort());
      long began = System.nanoTime();
      try (Socket socket = new Socket()) {
        socket.connect(address, (int) LONGEST_CONNECTION.toMillis());
        Duration took = Duration.ofNanos(System.nanoTime() - began);
        best = Optional.of(best.filter(known -> known.compareTo(took) < 0).orElse(took));
      } catch (IOException e) {
        return best;
      }
    }
    return best;
  }

  /** Nodes report every second, and the coordinator notes when by its own clock. */
  private Optional<Duration> clockOffset() {
    try (CloisterClient client = profile.open()) {
      return client.nodes().stream()
          .filter(node -> node.state() == NodeInfo.State.ONLINE)
          .flatMap(node -> node.lastSeen().stream())
          .max(Instant::compareTo)
          .map(seen -> Duration.between(seen, Instant.now()));
    } catch (CloisterException | CommandFailedException e) {
      return Optional.empty();
    }
  }
}
