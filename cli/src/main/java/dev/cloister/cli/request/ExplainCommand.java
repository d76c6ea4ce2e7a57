package dev.cloister.cli.request;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.cloister.cli.argument.ProfileOptions;
import dev.cloister.cli.outcome.ExitCode;
import dev.cloister.cli.outcome.OutputOptions;
import dev.cloister.client.CloisterClient;
import dev.cloister.client.RoutingDecision;
import dev.cloister.client.RoutingDecision.Prediction;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code cloister explain}. */
@Command(
    name = "explain",
    description = {
      "Show why a request went to its node: when each node would have completed the answer, term"
          + " by",
      "term. Decisions are kept for an hour."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Example:",
      "  cloister explain req-0123456789abcdef0123456789abcdef",
      "",
      "The id is in the header x-cloister-request of every answer over HTTP. An asterisk marks",
      "speeds that were not seen on that node yet, and are assumed. A node is ejected for a while",
      "when it failed, request after request."
    })
public final class ExplainCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "REQUEST_ID", description = "As the answer's header tells it.")
  private String requestId;

  @Mixin private ProfileOptions profile;
  @Mixin private OutputOptions output;

  @Override
  public Integer call() {
    List<RoutingDecision> decisions;
    try (CloisterClient client = profile.open()) {
      decisions = client.explain(requestId);
    }
    if (output.json()) {
      output.print(spec, json -> write(json, decisions));
    } else {
      decisions.forEach(decision -> print(spec.commandLine().getOut(), decision));
    }
    return ExitCode.OK;
  }

  private static void print(PrintWriter out, RoutingDecision decision) {
    out.println(
        "%s  %s: about %d prompt tokens, about %d answer tokens%s"
            .formatted(
                decision.at(),
                decision.model(),
                decision.promptTokens(),
                decision.answerTokens(),
                decision.tokensBefore() == 0
                    ? ""
                    : ", after " + decision.tokensBefore() + " on a node that was lost"));
    OutputOptions.table(
        out,
        List.of(
            "node",
            "done in",
            "wait",
            "load",
            "prompt",
            "answer",
            "way",
            "cached",
            "prompt/s",
            "tokens/s",
            "busy"),
        decision.predictions().stream().map(ExplainCommand::row).toList());
    int others = decision.candidates() - decision.predictions().size();
    if (others > 0) {
      out.println("and " + others + " more that would be later, or that a rule excludes");
    }
    out.println();
  }

  private static List<String> row(Prediction node) {
    String assumed = node.measured() ? "" : "*";
    return List.of(
        node.nodeName(),
        seconds(node.seconds()),
        seconds(node.waitSeconds()),
        node.loadSeconds() == 0 ? "-" : seconds(node.loadSeconds()),
        seconds(node.promptSeconds()),
        seconds(node.answerSeconds()),
        seconds(node.roundTripSeconds()),
        node.cachedTokens() == 0 ? "-" : Integer.toString(node.cachedTokens()),
        rate(node.promptTokensPerSecond()) + assumed,
        rate(node.tokensPerSecond()) + assumed,
        node.active() + " of " + node.slots() + state(node));
  }

  private static String state(Prediction node) {
    return node.limit() == 0 ? ", ejected" : node.full() ? ", full" : "";
  }

  private static String seconds(double value) {
    return String.format(Locale.ROOT, "%.3f s", value);
  }

  private static String rate(double value) {
    return String.format(Locale.ROOT, "%.1f", value);
  }

  private static void write(JsonGenerator json, List<RoutingDecision> decisions)
      throws IOException {
    json.writeStartArray();
    for (RoutingDecision decision : decisions) {
      json.writeStartObject();
      json.writeStringField("at", decision.at().toString());
      json.writeStringField("model", decision.model());
      json.writeNumberField("tokens_before", decision.tokensBefore());
      json.writeNumberField("prompt_tokens", decision.promptTokens());
      json.writeNumberField("answer_tokens", decision.answerTokens());
      json.writeNumberField("candidates", decision.candidates());
      json.writeArrayFieldStart("predictions");
      for (Prediction node : decision.predictions()) {
        write(json, node);
      }
      json.writeEndArray();
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private static void write(JsonGenerator json, Prediction node) throws IOException {
    json.writeStartObject();
    json.writeStringField("node_id", node.nodeId());
    json.writeStringField("node", node.nodeName());
    json.writeNumberField("seconds", node.seconds());
    json.writeNumberField("wait_seconds", node.waitSeconds());
    json.writeNumberField("load_seconds", node.loadSeconds());
    json.writeNumberField("prompt_seconds", node.promptSeconds());
    json.writeNumberField("answer_seconds", node.answerSeconds());
    json.writeNumberField("round_trip_seconds", node.roundTripSeconds());
    json.writeNumberField("cached_tokens", node.cachedTokens());
    json.writeNumberField("prompt_tokens_per_second", node.promptTokensPerSecond());
    json.writeNumberField("tokens_per_second", node.tokensPerSecond());
    json.writeBooleanField("measured", node.measured());
    json.writeNumberField("active", node.active());
    json.writeNumberField("slots", node.slots());
    json.writeBooleanField("full", node.full());
    json.writeNumberField("limit", node.limit());
    json.writeEndObject();
  }
}
