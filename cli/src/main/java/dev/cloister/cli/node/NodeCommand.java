package dev.cloister.cli.node;

import dev.cloister.cli.argument.LabelArguments;
import dev.cloister.cli.argument.ProfileOptions;
import dev.cloister.cli.outcome.CommandFailedException;
import dev.cloister.cli.outcome.ExitCode;
import dev.cloister.cli.outcome.OutputOptions;
import dev.cloister.client.CloisterClient;
import dev.cloister.client.NodeInfo;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code cloister node}. */
@Command(
    name = "node",
    description = "See the machines of the cluster, and say which of them take requests.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      NodeCommand.ListNodes.class,
      NodeCommand.Show.class,
      NodeDrainCommand.Drain.class,
      NodeDrainCommand.Resume.class,
      NodeLabelCommand.class,
      NodeWakeCommand.class
    })
public final class NodeCommand {

  /** {@code cloister node list}. */
  @Command(
      name = "list",
      description = {
        "List the machines: online, offline (said goodbye) or lost (fell silent); draining until",
        "its answers are done and drained from then on; or paused by what its owner allows."
      },
      mixinStandardHelpOptions = true)
  static final class ListNodes implements Callable<Integer> {
    @Spec private CommandSpec spec;
    @Mixin private ProfileOptions profile;
    @Mixin private OutputOptions output;

    @Override
    public Integer call() {
      try (CloisterClient client = profile.open()) {
        List<NodeInfo> nodes = client.nodes();
        if (output.json()) {
          output.print(spec, json -> NodeJson.write(json, nodes));
        } else {
          OutputOptions.table(
              spec.commandLine().getOut(),
              List.of(
                  "name", "state", "seen", "cpu", "load", "memory free", "gpu", "labels", "models"),
              nodes.stream().map(ListNodes::row).toList());
        }
        return ExitCode.OK;
      }
    }

    private static List<String> row(NodeInfo node) {
      boolean online = node.state() == NodeInfo.State.ONLINE;
      return List.of(
          node.name(),
          state(node),
          node.lastSeen().map(NodeCommand::ago).orElse("-"),
          node.cores() == 0 ? "-" : node.cores() + " x " + node.cpu(),
          online ? Math.round(node.cpuUtilization() * 100) + " %" : "-",
          online ? OutputOptions.size(node.memoryAvailableBytes()) : "-",
          node.gpus().isEmpty()
              ? "-"
              : String.join(", ", node.gpus().stream().map(NodeInfo.Gpu::model).toList()),
          LabelArguments.shown(node.labels()),
          models(node));
    }
  }

  /** {@code cloister node show}. */
  @Command(name = "show", description = "Show a machine.", mixinStandardHelpOptions = true)
  static final class Show implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Parameters(paramLabel = "NODE", description = "Its name or id, as 'node list' shows it.")
    private String name;

    @Mixin private ProfileOptions profile;
    @Mixin private OutputOptions output;

    @Override
    public Integer call() {
      try (CloisterClient client = profile.open()) {
        show(spec, output, find(client, name));
        return ExitCode.OK;
      }
    }
  }

  static NodeInfo find(CloisterClient client, String name) {
    return client.nodes().stream()
        .filter(node -> node.name().equals(name) || node.id().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new CommandFailedException(
                    ExitCode.NOT_FOUND,
                    "there is no node '" + name + "'; see: cloister node list"));
  }

  static void show(CommandSpec spec, OutputOptions output, NodeInfo node) {
    if (output.json()) {
      output.print(spec, json -> NodeJson.write(json, node));
      return;
    }
    PrintWriter out = spec.commandLine().getOut();
    out.println("name     " + node.name());
    out.println("id       " + node.id());
    out.println("state    " + state(node));
    node.drain()
        .ifPresent(
            drain -> out.println("moved    answers that still run, from " + drain.deadline()));
    out.println("labels   " + LabelArguments.shown(node.labels()));
    out.println("seen     " + node.lastSeen().map(NodeCommand::ago).orElse("-"));
    out.println("agent    " + (node.agentVersion().isEmpty() ? "-" : node.agentVersion()));
    out.println("system   " + node.operatingSystem() + " " + node.architecture());
    out.println(
        "cpu      "
            + node.cores()
            + " x "
            + node.cpu()
            + (node.vectorExtensions().isEmpty()
                ? ""
                : " (" + String.join(", ", node.vectorExtensions()) + ")"));
    out.println(
        "memory   "
            + OutputOptions.size(node.memoryAvailableBytes())
            + (node.memoryAvailableBytes() > node.memoryTotalBytes()
                ? " free, of which models may take "
                : " free of ")
            + OutputOptions.size(node.memoryTotalBytes())
            + (node.memoryBytesPerSecond() == 0
                ? ""
                : String.format(
                    Locale.ROOT, ", copied at %.1f GB/s", node.memoryBytesPerSecond() / 1e9)));
    node.gpus()
        .forEach(
            gpu ->
                out.println(
                    "gpu      "
                        + gpu.model()
                        + ", "
                        + OutputOptions.size(gpu.memoryFreeBytes())
                        + " free of "
                        + OutputOptions.size(gpu.memoryTotalBytes())));
    out.println("models   " + models(node));
    out.println("answers  " + node.activeRequests());
  }

  /** In a few words: {@code online}, {@code draining (2 answers)}, {@code paused: on battery}. */
  public static String state(NodeInfo node) {
    String state = node.state().name().toLowerCase(Locale.ROOT);
    boolean online = node.state() == NodeInfo.State.ONLINE;
    return node.drain()
        .map(
            drain ->
                switch (drain.cause()) {
                  case ADMINISTRATOR ->
                      (online ? "" : state + ", ")
                          + (node.activeRequests() == 0
                              ? "drained"
                              : "draining (" + answers(node.activeRequests()) + ")");
                  case OWNER -> "paused: " + drain.reason();
                  case STOPPING -> "stopping";
                })
        .orElse(state);
  }

  private static String answers(int count) {
    return count == 1 ? "1 answer" : count + " answers";
  }

  private static String models(NodeInfo node) {
    Set<String> split =
        node.stages().stream().map(NodeInfo.ModelStage::model).collect(Collectors.toSet());
    List<String> models =
        Stream.concat(
                node.readyModels().stream().filter(model -> !split.contains(model)),
                node.stages().stream()
                    .map(
                        stage ->
                            "%s %d-%d%s"
                                .formatted(
                                    stage.model(),
                                    stage.firstLayer(),
                                    stage.endLayer() - 1,
                                    stage.state().isEmpty() ? "" : " (" + stage.state() + ")")))
            .toList();
    return models.isEmpty() ? "-" : String.join(", ", models);
  }

  public static String ago(Instant then) {
    long seconds = Math.max(0, Duration.between(then, Instant.now()).toSeconds());
    if (seconds < 120) {
      return seconds + " s ago";
    }
    return seconds < 7_200 ? seconds / 60 + " min ago" : seconds / 3_600 + " h ago";
  }
}
