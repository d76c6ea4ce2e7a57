package dev.cloister.cli.model;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.cloister.cli.argument.ProfileOptions;
import dev.cloister.cli.node.NodeCommand;
import dev.cloister.cli.outcome.ExitCode;
import dev.cloister.cli.outcome.OutputOptions;
import dev.cloister.client.CloisterClient;
import dev.cloister.client.ModelInfo;
import dev.cloister.client.ModelInfo.Residence;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code cloister ps}. */
@Command(
    name = "ps",
    description = {
      "Show which models are loaded, where, why, and until when.",
      "WHY: configured (there was room), pinned, asked for (by a request), copy (requests would",
      "have waited longer for the others), or split over several nodes."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Examples:",
      "  cloister ps",
      "  cloister ps --json",
      "",
      "How long models stay is set with: cloister model configure NAME --keep-alive 10m, or --pin."
    })
public final class PsCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private ProfileOptions profile;
  @Mixin private OutputOptions output;

  /** A model on a node. */
  private record Row(ModelInfo model, ModelInfo.Replica replica) {}

  @Override
  public Integer call() {
    List<Row> rows;
    try (CloisterClient client = profile.open()) {
      rows =
          client.models().stream()
              .flatMap(model -> model.replicas().stream().map(replica -> new Row(model, replica)))
              .toList();
    }
    if (output.json()) {
      output.print(spec, json -> write(json, rows));
    } else {
      Instant now = Instant.now();
      OutputOptions.table(
          spec.commandLine().getOut(),
          List.of("model", "node", "state", "memory", "in use", "last used", "until", "why"),
          rows.stream().map(row -> shown(row, now)).toList());
    }
    return ExitCode.OK;
  }

  private static List<String> shown(Row row, Instant now) {
    ModelInfo.Replica replica = row.replica();
    Optional<Residence> residence = replica.residence();
    return List.of(
        row.model().name(),
        replica.nodeName(),
        ModelCommand.state(replica),
        replica.residentBytes() == 0 ? "-" : OutputOptions.size(replica.residentBytes()),
        replica.slots() == 0
            ? "-"
            : residence.map(Residence::active).orElse(0) + " of " + replica.slots(),
        residence.flatMap(Residence::lastUsed).map(NodeCommand::ago).orElse("-"),
        until(row, now),
        why(replica));
  }

  private static String until(Row row, Instant now) {
    Optional<Residence> residence = row.replica().residence();
    if (residence.isEmpty()) {
      return "-";
    }
    if (residence.get().leaving()) {
      return "its answers are done";
    }
    if (row.model().retention().pinned()) {
      return "pinned";
    }
    return residence
        .get()
        .until()
        .map(until -> "in " + Math.max(0, Duration.between(now, until).toSeconds()) + " s")
        .orElse(
            row.model().retention().keepAlive().isPresent() ? "it is not used" : "room is needed");
  }

  private static String why(ModelInfo.Replica replica) {
    return replica
        .stage()
        .map(stage -> "split: layers %s".formatted(ModelCommand.layers(stage)))
        .or(() -> replica.residence().map(residence -> name(residence.why())))
        .orElse("-");
  }

  private static String name(Residence.Why why) {
    return switch (why) {
      case CONFIGURED -> "configured";
      case PINNED -> "pinned";
      case ASKED_FOR -> "asked for";
      case COPY -> "copy";
    };
  }

  private static void write(JsonGenerator json, List<Row> rows) throws IOException {
    json.writeStartArray();
    for (Row row : rows) {
      ModelInfo.Replica replica = row.replica();
      Optional<Residence> residence = replica.residence();
      json.writeStartObject();
      json.writeStringField("model", row.model().name());
      json.writeStringField("node_id", replica.nodeId());
      json.writeStringField("node", replica.nodeName());
      json.writeStringField("state", replica.state());
      json.writeStringField("error", replica.error());
      json.writeNumberField("progress", replica.progress());
      json.writeNumberField("resident_bytes", replica.residentBytes());
      json.writeNumberField("active", residence.map(Residence::active).orElse(0));
      json.writeNumberField("slots", replica.slots());
      json.writeStringField(
          "last_used", residence.flatMap(Residence::lastUsed).map(Instant::toString).orElse(null));
      json.writeStringField(
          "until", residence.flatMap(Residence::until).map(Instant::toString).orElse(null));
      json.writeBooleanField("pinned", row.model().retention().pinned());
      json.writeBooleanField("leaving", residence.filter(Residence::leaving).isPresent());
      json.writeStringField("why", why(replica));
      json.writeEndObject();
    }
    json.writeEndArray();
  }
}
