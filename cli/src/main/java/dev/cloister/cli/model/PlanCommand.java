package dev.cloister.cli.model;

import static dev.cloister.cli.member.NodeFlags.number;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.cloister.cli.argument.ProfileOptions;
import dev.cloister.cli.argument.SplitConverter;
import dev.cloister.cli.outcome.ExitCode;
import dev.cloister.cli.outcome.OutputOptions;
import dev.cloister.client.CloisterClient;
import dev.cloister.client.admin.PlanInfo;
import dev.cloister.client.admin.PlanInfo.Plan;
import dev.cloister.client.admin.PlanInfo.Stage;
import dev.cloister.client.admin.PlanQuestion;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code cloister model plan}. */
@Command(
    name = "plan",
    description = {
      "Show how a model would be placed now: its layers on the nodes, what that takes and how fast",
      "it is predicted to be, and the alternatives. Nothing is changed."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footer = {
      "",
      "Examples:",
      "  cloister model plan qwen",
      "  cloister model plan qwen --split 3 --context 16384",
      "",
      "'cloister model configure NAME --split ...' has it run so. If nothing fits, the exit code is"
          + " 6."
    })
final class PlanCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "NAME", description = "As 'cloister model list' shows it.")
  private String name;

  @Option(
      names = "--split",
      paramLabel = "auto|never|N",
      converter = SplitConverter.class,
      description = "Over how many nodes (default: as the model is configured).")
  private @Nullable Integer split;

  @Option(
      names = "--force",
      description = "With --split N: also where it is not proved to make no difference.")
  private boolean force;

  @Option(
      names = "--context",
      paramLabel = "N",
      description = "Tokens that one request may use (default: as the model is configured).")
  private @Nullable Integer context;

  @Option(
      names = "--slots",
      paramLabel = "N",
      description = "Requests answered at the same time (default: as the model is configured).")
  private @Nullable Integer slots;

  @Mixin private ProfileOptions profile;
  @Mixin private OutputOptions output;

  @Override
  public Integer call() {
    SplitConverter.requireSplit(force, split);
    PlanInfo info;
    try (CloisterClient client = profile.open()) {
      info =
          client
              .administration()
              .planModel(
                  name, new PlanQuestion(number(split), force, number(context), number(slots)));
    }
    if (output.json()) {
      output.print(spec, json -> write(json, info));
    } else {
      print(spec.commandLine().getOut(), info);
    }
    return info.plan().isPresent() ? ExitCode.OK : ExitCode.NO_CAPACITY;
  }

  static void print(PrintWriter out, PlanInfo info) {
    // As it is: it may begin with the name of a node or a model.
    out.println(info.reason() + ".");
    if (info.plan().isPresent()) {
      Plan plan = info.plan().get();
      out.println();
      OutputOptions.table(
          out,
          List.of(
              "node",
              "layers",
              "weights",
              "kv cache",
              "buffers",
              "memory",
              "free",
              "a token",
              "hop"),
          plan.stages().stream().map(PlanCommand::row).toList());
      out.println();
      out.println("one answer alone   " + perSecond(1 / plan.secondsPerToken()));
      out.println("all slots          " + perSecond(plan.totalTokensPerSecond()));
      out.println("long prompts       " + perSecond(plan.promptTokensPerSecond()));
      out.println("loading            about %.0f s".formatted(plan.loadSeconds()));
    }
    if (!info.alternatives().isEmpty()) {
      out.println();
      OutputOptions.table(
          out,
          List.of("alternative", "one answer", "all slots", "long prompts"),
          info.alternatives().stream()
              .map(
                  plan ->
                      List.of(
                          layers(plan),
                          perSecond(1 / plan.secondsPerToken()),
                          perSecond(plan.totalTokensPerSecond()),
                          perSecond(plan.promptTokensPerSecond())))
              .toList());
    }
    if (info.plan().isPresent() || !info.alternatives().isEmpty()) {
      out.println();
      out.println(
          "Speeds are predicted from what is known of the nodes and the ways between them.");
    }
  }

  private static List<String> row(Stage stage) {
    return List.of(
        stage.nodeName(),
        layers(stage),
        OutputOptions.size(stage.weightBytes()),
        OutputOptions.size(stage.kvBytes()),
        OutputOptions.size(stage.computeBytes()),
        OutputOptions.size(stage.memoryBytes()),
        OutputOptions.size(stage.freeBytes()),
        milliseconds(stage.secondsPerToken()),
        stage.hopSeconds() == 0 ? "-" : hop(stage));
  }

  private static String hop(Stage stage) {
    return milliseconds(stage.hopSeconds())
        + (stage.relayed() ? " through the coordinator" : "")
        + (stage.hopMeasured() ? ", measured" : ", assumed");
  }

  private static String layers(Plan plan) {
    return plan.stages().stream()
        .map(stage -> stage.nodeName() + " " + layers(stage))
        .collect(Collectors.joining(", "));
  }

  private static String layers(Stage stage) {
    return stage.firstLayer() + "-" + (stage.endLayer() - 1);
  }

  private static String perSecond(double tokens) {
    return String.format(Locale.ROOT, "%.1f tokens/s", tokens);
  }

  private static String milliseconds(double seconds) {
    return String.format(Locale.ROOT, "%.2f ms", seconds * 1_000);
  }

  private static void write(JsonGenerator json, PlanInfo info) throws IOException {
    json.writeStartObject();
    json.writeFieldName("plan");
    if (info.plan().isPresent()) {
      write(json, info.plan().get());
    } else {
      json.writeNull();
    }
    json.writeArrayFieldStart("alternatives");
    for (Plan plan : info.alternatives()) {
      write(json, plan);
    }
    json.writeEndArray();
    json.writeStringField("reason", info.reason());
    json.writeEndObject();
  }

  private static void write(JsonGenerator json, Plan plan) throws IOException {
    json.writeStartObject();
    json.writeArrayFieldStart("stages");
    for (Stage stage : plan.stages()) {
      json.writeStartObject();
      json.writeStringField("node_id", stage.nodeId());
      json.writeStringField("node", stage.nodeName());
      json.writeNumberField("first_layer", stage.firstLayer());
      json.writeNumberField("end_layer", stage.endLayer());
      json.writeNumberField("weight_bytes", stage.weightBytes());
      json.writeNumberField("kv_bytes", stage.kvBytes());
      json.writeNumberField("compute_bytes", stage.computeBytes());
      json.writeNumberField("memory_bytes", stage.memoryBytes());
      json.writeNumberField("free_bytes", stage.freeBytes());
      json.writeNumberField("seconds_per_token", stage.secondsPerToken());
      json.writeNumberField("hop_seconds", stage.hopSeconds());
      json.writeBooleanField("relayed", stage.relayed());
      json.writeBooleanField("hop_measured", stage.hopMeasured());
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeNumberField("seconds_per_token", plan.secondsPerToken());
    json.writeNumberField("prompt_tokens_per_second", plan.promptTokensPerSecond());
    json.writeNumberField("total_tokens_per_second", plan.totalTokensPerSecond());
    json.writeNumberField("load_seconds", plan.loadSeconds());
    json.writeEndObject();
  }
}
