package dev.cloister.cli.access;

import dev.cloister.cli.argument.LabelArguments;
import dev.cloister.cli.argument.ProfileOptions;
import dev.cloister.cli.node.NodeJson;
import dev.cloister.cli.outcome.ExitCode;
import dev.cloister.cli.outcome.OutputOptions;
import dev.cloister.client.CloisterClient;
import dev.cloister.client.admin.ApiKeyInfo;
import dev.cloister.client.admin.NewApiKey;
import java.math.BigDecimal;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code cloister key}. */
@Command(
    name = "key",
    description = "Hand out keys for the HTTP API.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      KeyCommand.Create.class,
      KeyCommand.ListKeys.class,
      KeyCommand.Weigh.class,
      KeyCommand.Revoke.class
    })
public final class KeyCommand {

  /** {@code cloister key create}. */
  @Command(
      name = "create",
      description = "Create an API key. It is shown once.",
      mixinStandardHelpOptions = true,
      footer = {
        "",
        "Examples:",
        "  cloister key create alice",
        "  cloister key create payroll --require class=server",
        "  cloister key create nightly --weight 0.2"
      })
  static final class Create implements Callable<Integer> {
    @Spec private CommandSpec spec;
    @Mixin private ProfileOptions profile;
    @Mixin private OutputOptions output;

    @Parameters(paramLabel = "NAME", description = "Whose or what for.")
    private String name;

    @Option(
        names = "--require",
        paramLabel = "LABEL",
        description = {
          "A label that a machine must have to see a request with this key, as 'node label' gives",
          "it: class=server. May be repeated; it cannot be changed later."
        })
    private List<String> required = List.of();

    @Option(
        names = "--weight",
        paramLabel = "WEIGHT",
        defaultValue = "1",
        description = {
          "Its share where callers have to wait for their turn, 0.01 to 100: with 2 it is served",
          "twice as many tokens as a key with 1 (default: ${DEFAULT-VALUE})."
        })
    private double weight;

    @Override
    public Integer call() {
      try (CloisterClient client = profile.open()) {
        NewApiKey created =
            client.administration().createApiKey(name, LabelArguments.required(required), weight);
        if (output.json()) {
          output.print(
              spec,
              json -> {
                json.writeStartObject();
                json.writeStringField("id", created.id());
                json.writeStringField("key", created.key());
                json.writeEndObject();
              });
        } else {
          spec.commandLine().getOut().println(created.key());
        }
        return ExitCode.OK;
      }
    }
  }

  /** {@code cloister key list}. */
  @Command(
      name = "list",
      description = "List API keys, without their secrets.",
      mixinStandardHelpOptions = true)
  static final class ListKeys implements Callable<Integer> {
    @Spec private CommandSpec spec;
    @Mixin private ProfileOptions profile;
    @Mixin private OutputOptions output;

    @Override
    public Integer call() {
      try (CloisterClient client = profile.open()) {
        List<ApiKeyInfo> keys = client.administration().apiKeys();
        if (output.json()) {
          output.print(
              spec,
              json -> {
                json.writeStartArray();
                for (ApiKeyInfo key : keys) {
                  json.writeStartObject();
                  json.writeStringField("id", key.id());
                  json.writeStringField("name", key.name());
                  json.writeStringField("created_at", key.createdAt().toString());
                  json.writeBooleanField("revoked", key.revoked());
                  NodeJson.writeLabels(json, "required", key.required());
                  json.writeNumberField("weight", key.weight());
                  json.writeEndObject();
                }
                json.writeEndArray();
              });
        } else {
          OutputOptions.table(
              spec.commandLine().getOut(),
              List.of("id", "name", "state", "requires", "weight", "created"),
              keys.stream()
                  .map(
                      key ->
                          List.of(
                              key.id(),
                              key.name(),
                              key.revoked() ? "revoked" : "good",
                              LabelArguments.shown(key.required()),
                              shown(key.weight()),
                              key.createdAt().toString()))
                  .toList());
        }
        return ExitCode.OK;
      }
    }
  }

  /** {@code 2} or {@code 0.2}. */
  private static String shown(double weight) {
    return BigDecimal.valueOf(weight).stripTrailingZeros().toPlainString();
  }

  /** {@code cloister key weigh}. */
  @Command(
      name = "weigh",
      description = "Change a key's share where callers have to wait for their turn.",
      mixinStandardHelpOptions = true,
      footer = {"", "Example:", "  cloister key weigh 3f9a12c04e 2"})
  static final class Weigh implements Callable<Integer> {
    @Mixin private ProfileOptions profile;

    @Parameters(
        index = "0",
        paramLabel = "ID",
        description = "The key's id, as 'key list' shows it.")
    private String id;

    @Parameters(
        index = "1",
        paramLabel = "WEIGHT",
        description = {
          "0.01 to 100: with 2 it is served twice as many tokens as a key with 1. Requests that"
              + " wait",
          "already keep theirs."
        })
    private double weight;

    @Override
    public Integer call() {
      try (CloisterClient client = profile.open()) {
        client.administration().weighApiKey(id, weight);
        return ExitCode.OK;
      }
    }
  }

  /** {@code cloister key revoke}. */
  @Command(
      name = "revoke",
      description = "Make an API key useless at once.",
      mixinStandardHelpOptions = true)
  static final class Revoke implements Callable<Integer> {
    @Mixin private ProfileOptions profile;

    @Parameters(paramLabel = "ID", description = "The key's id, as 'key list' shows it.")
    private String id;

    @Override
    public Integer call() {
      try (CloisterClient client = profile.open()) {
        client.administration().revokeApiKey(id);
        return ExitCode.OK;
      }
    }
  }
}
