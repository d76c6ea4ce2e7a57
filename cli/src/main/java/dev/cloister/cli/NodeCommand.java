package dev.cloister.cli;

import dev.cloister.client.CloisterClient;
import dev.cloister.client.NodeInfo;
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
import picocli.CommandLine.Spec;

/** {@code cloister node}. */
@Command(
    name = "node",
    description = "See the machines of the cluster.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = NodeCommand.ListNodes.class)
final class NodeCommand {

  /** {@code cloister node list}. */
  @Command(
      name = "list",
      description = "List the machines: online, offline (said goodbye) or lost (fell silent).",
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
              List.of("name", "state", "seen", "cpu", "load", "memory free", "gpu", "models"),
              nodes.stream().map(ListNodes::row).toList());
        }
        return ExitCode.OK;
      }
    }

    private static List<String> row(NodeInfo node) {
      boolean online = node.state() == NodeInfo.State.ONLINE;
      return List.of(
          node.name(),
          node.state().name().toLowerCase(Locale.ROOT),
          node.lastSeen().map(ListNodes::ago).orElse("-"),
          node.cores() == 0 ? "-" : node.cores() + " x " + node.cpu(),
          online ? Math.round(node.cpuUtilization() * 100) + " %" : "-",
          online ? OutputOptions.size(node.memoryAvailableBytes()) : "-",
          node.gpus().isEmpty()
              ? "-"
              : String.join(", ", node.gpus().stream().map(NodeInfo.Gpu::model).toList()),
          models(node));
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

    private static String ago(Instant then) {
      long seconds = Math.max(0, Duration.between(then, Instant.now()).toSeconds());
      if (seconds < 120) {
        return seconds + " s ago";
      }
      return seconds < 7_200 ? seconds / 60 + " min ago" : seconds / 3_600 + " h ago";
    }
  }
}
