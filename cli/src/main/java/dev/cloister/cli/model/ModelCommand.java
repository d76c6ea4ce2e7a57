package dev.cloister.cli.model;

import dev.cloister.cli.argument.LabelArguments;
import dev.cloister.cli.argument.ProfileOptions;
import dev.cloister.cli.outcome.CommandFailedException;
import dev.cloister.cli.outcome.ExitCode;
import dev.cloister.cli.outcome.OutputOptions;
import dev.cloister.client.CloisterClient;
import dev.cloister.client.ModelInfo;
import java.io.PrintWriter;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code cloister model}. */
@Command(
    name = "model",
    description = "See the models of the cluster, and say how they are run.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      ModelCommand.ListModels.class,
      ModelCommand.Show.class,
      ModelCommand.Configure.class,
      PlanCommand.class
    })
public final class ModelCommand {

  /** {@code cloister model list}. */
  @Command(
      name = "list",
      description = "List the models, where they are loaded, and what runs them.",
      mixinStandardHelpOptions = true)
  static final class ListModels implements Callable<Integer> {
    @Spec private CommandSpec spec;
    @Mixin private ProfileOptions profile;
    @Mixin private OutputOptions output;

    @Override
    public Integer call() {
      try (CloisterClient client = profile.open()) {
        List<ModelInfo> models = client.models();
        if (output.json()) {
          output.print(
              spec,
              json -> {
                json.writeStartArray();
                for (ModelInfo model : models) {
                  ModelJson.write(json, model);
                }
                json.writeEndArray();
              });
        } else {
          OutputOptions.table(
              spec.commandLine().getOut(),
              List.of("name", "size", "sha256", "nodes", "engine"),
              models.stream().map(ListModels::row).toList());
        }
        return ExitCode.OK;
      }
    }

    private static List<String> row(ModelInfo model) {
      return List.of(
          model.name(),
          OutputOptions.size(model.sizeBytes()),
          model.sha256().substring(0, 12),
          model.replicas().stream()
              .map(
                  replica ->
                      replica.nodeName()
                          + replica.stage().map(stage -> " " + layers(stage)).orElse("")
                          + " ("
                          + state(replica)
                          + ")")
              .collect(
                  Collectors.collectingAndThen(Collectors.joining(", "), ModelCommand::orDash)),
          model.replicas().stream()
              .map(ModelCommand::engine)
              .filter(engine -> !engine.isEmpty())
              .distinct()
              .collect(
                  Collectors.collectingAndThen(Collectors.joining(", "), ModelCommand::orDash)));
    }
  }

  /** {@code cloister model show}. */
  @Command(
      name = "show",
      description = "Show how a model is run, and how it is doing on each node.",
      mixinStandardHelpOptions = true)
  static final class Show implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Parameters(paramLabel = "NAME", description = "As 'cloister model list' shows it.")
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

  /** {@code cloister model configure}. */
  @Command(
      name = "configure",
      description = {
        "Say how a model is run, on all nodes that serve it. What is not given goes back to",
        "its default, but for what it requires of nodes and how long it stays loaded: these stay",
        "until they are changed. The nodes load the model anew, and answers under way go on",
        "elsewhere or are broken off. With --require, --pin or --keep-alive alone, nothing else",
        "is changed, and nothing is loaded anew."
      },
      mixinStandardHelpOptions = true,
      sortOptions = false,
      footer = {
        "",
        "Examples:",
        "  cloister model configure qwen --context 16384 --slots 2 --kv-type q8_0",
        "  cloister model configure qwen --split 3           its layers on three nodes",
        "  cloister model configure qwen --require class=server   on labelled machines only",
        "  cloister model configure qwen --pin               never unload it",
        "  cloister model configure qwen --keep-alive 10m    load it when somebody asks for it",
        "  cloister model configure qwen                     all defaults again",
        "",
        "A node grants no more threads and layers on the GPU than its owner said at 'agent start'."
      })
  static final class Configure implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Parameters(paramLabel = "NAME", description = "As 'cloister model list' shows it.")
    private String name;

    @Option(
        names = "--require",
        paramLabel = "LABEL",
        description = {
          "A label that a machine must have to have any of the model and to see requests for it,",
          "as 'node label' gives it: class=server; class- requires it no more. May be repeated."
        })
    private List<String> required = List.of();

    @Mixin private RetentionFlags retention;
    @Mixin private ModelFlags flags;
    @Mixin private ProfileOptions profile;
    @Mixin private OutputOptions output;

    @Override
    public Integer call() {
      Optional<ModelInfo.Retention> retained = retention.retention();
      try (CloisterClient client = profile.open()) {
        if (!required.isEmpty()) {
          client.administration().requireLabels(name, LabelArguments.change(required));
        }
        retained.ifPresent(other -> client.administration().retainModel(name, other));
        if ((required.isEmpty() && retained.isEmpty())
            || !flags.options().equals(ModelInfo.Options.NONE)) {
          client.administration().configureModel(name, flags.options());
        }
        show(spec, output, find(client, name));
        return ExitCode.OK;
      }
    }
  }

  private static ModelInfo find(CloisterClient client, String name) {
    return client.models().stream()
        .filter(model -> model.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new CommandFailedException(
                    ExitCode.NOT_FOUND,
                    "there is no model '" + name + "'; see: cloister model list"));
  }

  private static void show(CommandSpec spec, OutputOptions output, ModelInfo model) {
    if (output.json()) {
      output.print(spec, json -> ModelJson.write(json, model));
      return;
    }
    PrintWriter out = spec.commandLine().getOut();
    out.println("name      " + model.name());
    out.println("size      " + OutputOptions.size(model.sizeBytes()));
    out.println("sha256    " + model.sha256());
    out.println("added     " + model.createdAt());
    out.println(
        "options   "
            + orDash(
                ModelFlags.shown(model.options()).entrySet().stream()
                    .map(
                        option ->
                            "--"
                                + option.getKey()
                                + (option.getValue().equals(true) ? "" : " " + option.getValue()))
                    .collect(Collectors.joining(" "))));
    out.println("requires  " + LabelArguments.shown(model.required()));
    out.println("stays     " + RetentionFlags.shown(model.retention()));
    if (!model.obstacle().isEmpty()) {
      out.println("obstacle  " + model.obstacle());
    }
    out.println();
    OutputOptions.table(
        out,
        List.of("node", "state", "layers", "memory", "context", "slots", "engine"),
        model.replicas().stream()
            .map(
                replica ->
                    List.of(
                        replica.nodeName(),
                        state(replica),
                        replica.stage().map(ModelCommand::layers).orElse("all"),
                        replica.residentBytes() == 0
                            ? "-"
                            : OutputOptions.size(replica.residentBytes()),
                        positive(replica.contextTokens()),
                        positive(replica.slots()),
                        orDash(engine(replica))))
            .toList());
    printRelayed(out, model.replicas());
  }

  private static void printRelayed(PrintWriter out, List<ModelInfo.Replica> replicas) {
    for (ModelInfo.Replica replica : replicas) {
      replica
          .stage()
          .filter(stage -> stage.relayedStreams() > 0)
          .ifPresent(
              stage ->
                  out.println(
                      "From %s to the next stage through the coordinator: %s in %d %s."
                          .formatted(
                              replica.nodeName(),
                              OutputOptions.size(stage.relayedBytes()),
                              stage.relayedStreams(),
                              stage.relayedStreams() == 1 ? "stream" : "streams")));
    }
  }

  static String layers(ModelInfo.Stage stage) {
    return stage.firstLayer() + "-" + (stage.endLayer() - 1);
  }

  static String state(ModelInfo.Replica replica) {
    return switch (replica.state()) {
      case "fetching", "loading" ->
          "%s %d %%".formatted(replica.state(), (int) (100 * replica.progress()));
      case "failed" -> "failed: " + replica.error();
      default -> replica.state();
    };
  }

  private static String engine(ModelInfo.Replica replica) {
    return replica.engine().isEmpty() || replica.full()
        ? replica.engine()
        : replica.engine() + ", limited";
  }

  private static String positive(int number) {
    return number == 0 ? "-" : String.valueOf(number);
  }

  private static String orDash(String text) {
    return text.isEmpty() ? "-" : text;
  }
}
