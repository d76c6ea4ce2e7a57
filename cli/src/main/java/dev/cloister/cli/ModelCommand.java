package dev.cloister.cli;

import dev.cloister.client.CloisterClient;
import dev.cloister.client.ModelInfo;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code cloister model}. */
@Command(
    name = "model",
    description = "See the models of the cluster.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = ModelCommand.ListModels.class)
final class ModelCommand {

  /** {@code cloister model list}. */
  @Command(
      name = "list",
      description = "List the models and where they are loaded.",
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
          printJson(models);
        } else {
          OutputOptions.table(
              spec.commandLine().getOut(),
              List.of("name", "size", "sha256", "nodes"),
              models.stream()
                  .map(
                      model ->
                          List.of(
                              model.name(),
                              OutputOptions.size(model.sizeBytes()),
                              model.sha256().substring(0, 12),
                              model.replicas().isEmpty() ? "-" : replicas(model)))
                  .toList());
        }
        return ExitCode.OK;
      }
    }

    private static String replicas(ModelInfo model) {
      return model.replicas().stream()
          .map(
              replica ->
                  replica.nodeName()
                      + " ("
                      + replica.state()
                      + (replica.error().isEmpty() ? "" : ": " + replica.error())
                      + ")")
          .collect(Collectors.joining(", "));
    }

    private void printJson(List<ModelInfo> models) {
      output.print(
          spec,
          json -> {
            json.writeStartArray();
            for (ModelInfo model : models) {
              json.writeStartObject();
              json.writeStringField("name", model.name());
              json.writeStringField("sha256", model.sha256());
              json.writeNumberField("size_bytes", model.sizeBytes());
              json.writeStringField("created_at", model.createdAt().toString());
              json.writeArrayFieldStart("replicas");
              for (ModelInfo.Replica replica : model.replicas()) {
                json.writeStartObject();
                json.writeStringField("node_id", replica.nodeId());
                json.writeStringField("node", replica.nodeName());
                json.writeStringField("state", replica.state());
                json.writeStringField("error", replica.error());
                json.writeEndObject();
              }
              json.writeEndArray();
              json.writeEndObject();
            }
            json.writeEndArray();
          });
    }
  }
}
