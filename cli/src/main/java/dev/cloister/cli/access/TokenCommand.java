package dev.cloister.cli.access;

import dev.cloister.cli.argument.DurationConverter;
import dev.cloister.cli.argument.ProfileOptions;
import dev.cloister.cli.outcome.CommandFailedException;
import dev.cloister.cli.outcome.ExitCode;
import dev.cloister.cli.outcome.OutputOptions;
import dev.cloister.client.CloisterClient;
import dev.cloister.client.admin.JoinTokenInfo;
import dev.cloister.client.admin.NewJoinToken;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code cloister token}. */
@Command(
    name = "token",
    description = "Admit machines and people.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      TokenCommand.Create.class,
      TokenCommand.ListTokens.class,
      TokenCommand.Revoke.class
    })
public final class TokenCommand {

  /** {@code cloister token create}. */
  @Command(
      name = "create",
      description = "Create a join token. It is shown once.",
      mixinStandardHelpOptions = true,
      sortOptions = false,
      footer = {
        "",
        "Examples:",
        "  cloister token create                        one agent, within ten minutes",
        "  cloister token create --uses 20 --ttl 8h     a room full of PCs",
        "  cloister token create --role client          a person"
      })
  static final class Create implements Callable<Integer> {
    @Spec private CommandSpec spec;
    @Mixin private ProfileOptions profile;
    @Mixin private OutputOptions output;

    @Option(
        names = "--role",
        paramLabel = "ROLE",
        defaultValue = "agent",
        description = "agent, client or admin (default: ${DEFAULT-VALUE}).")
    private String role;

    @Option(
        names = "--ttl",
        paramLabel = "TIME",
        defaultValue = "10m",
        converter = DurationConverter.class,
        description = "How long it may be redeemed: 30s, 10m, 8h, 2d (default: ${DEFAULT-VALUE}).")
    private Duration lifetime;

    @Option(
        names = "--uses",
        paramLabel = "N",
        defaultValue = "1",
        description = "How many may redeem it (default: ${DEFAULT-VALUE}).")
    private int uses;

    @Override
    public Integer call() {
      if (uses < 1) {
        throw new CommandFailedException(
            ExitCode.USAGE, "--uses is " + uses + " (expected: 1 or more)");
      }
      try (CloisterClient client = profile.open()) {
        NewJoinToken created = client.administration().createJoinToken(role, lifetime, uses);
        if (output.json()) {
          output.print(
              spec,
              json -> {
                json.writeStartObject();
                json.writeStringField("id", created.id());
                json.writeStringField("token", created.token());
                json.writeStringField("expires_at", created.expiresAt().toString());
                json.writeEndObject();
              });
        } else {
          spec.commandLine().getOut().println(created.token());
          spec.commandLine()
              .getErr()
              .println(
                  role.equals("agent")
                      ? "On the new machine: cloister agent start --join TOKEN"
                      : "On the new machine: cloister join TOKEN");
        }
        return ExitCode.OK;
      }
    }
  }

  /** {@code cloister token list}. */
  @Command(
      name = "list",
      description = "List join tokens, without their secrets.",
      mixinStandardHelpOptions = true)
  static final class ListTokens implements Callable<Integer> {
    @Spec private CommandSpec spec;
    @Mixin private ProfileOptions profile;
    @Mixin private OutputOptions output;

    @Override
    public Integer call() {
      try (CloisterClient client = profile.open()) {
        List<JoinTokenInfo> tokens = client.administration().joinTokens();
        if (output.json()) {
          output.print(
              spec,
              json -> {
                json.writeStartArray();
                for (JoinTokenInfo token : tokens) {
                  json.writeStartObject();
                  json.writeStringField("id", token.id());
                  json.writeStringField("role", token.role());
                  json.writeStringField("created_at", token.createdAt().toString());
                  json.writeStringField("expires_at", token.expiresAt().toString());
                  json.writeNumberField("uses_left", token.usesLeft());
                  json.writeStringField("state", state(token));
                  json.writeEndObject();
                }
                json.writeEndArray();
              });
        } else {
          OutputOptions.table(
              spec.commandLine().getOut(),
              List.of("id", "role", "state", "uses left", "expires"),
              tokens.stream()
                  .map(
                      token ->
                          List.of(
                              token.id(),
                              token.role(),
                              state(token),
                              String.valueOf(token.usesLeft()),
                              token.expiresAt().toString()))
                  .toList());
        }
        return ExitCode.OK;
      }
    }

    private static String state(JoinTokenInfo token) {
      if (token.revoked()) {
        return "revoked";
      }
      if (token.expiresAt().isBefore(Instant.now())) {
        return "expired";
      }
      return token.usesLeft() == 0 ? "used" : "good";
    }
  }

  /** {@code cloister token revoke}. */
  @Command(
      name = "revoke",
      description = "Make a join token useless. Members it admitted stay.",
      mixinStandardHelpOptions = true)
  static final class Revoke implements Callable<Integer> {
    @Mixin private ProfileOptions profile;

    @Parameters(paramLabel = "ID", description = "The token's id, as 'token list' shows it.")
    private String id;

    @Override
    public Integer call() {
      try (CloisterClient client = profile.open()) {
        client.administration().revokeJoinToken(id);
        return ExitCode.OK;
      }
    }
  }
}
