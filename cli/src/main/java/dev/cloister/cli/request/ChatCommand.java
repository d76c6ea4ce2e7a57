package dev.cloister.cli.request;

import dev.cloister.cli.argument.ProfileOptions;
import dev.cloister.cli.outcome.CommandFailedException;
import dev.cloister.cli.outcome.ExitCode;
import dev.cloister.cli.outcome.OutputOptions;
import dev.cloister.client.ChatMessage;
import dev.cloister.client.ChatMessage.Role;
import dev.cloister.client.ChatRequest;
import dev.cloister.client.ChatResponse;
import dev.cloister.client.ChatStream;
import dev.cloister.client.CloisterClient;
import dev.cloister.client.CloisterException;
import dev.cloister.client.ModelInfo;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code cloister chat}. */
@Command(
    name = "chat",
    description = "Talk to a model.",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footer = {
      "",
      "Examples:",
      "  cloister chat",
      "  cloister chat cloister-tiny --prompt 'What is the capital of France?'",
      "  echo 'Name the planets.' | cloister chat"
    })
public final class ChatCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private ProfileOptions profile;
  @Mixin private OutputOptions output;

  @Parameters(
      arity = "0..1",
      paramLabel = "MODEL",
      description = "Which model (default: the first that is ready).")
  private @Nullable String model;

  @Option(
      names = {"-p", "--prompt"},
      paramLabel = "TEXT",
      description = "Ask this one question and end.")
  private @Nullable String prompt;

  @Option(names = "--system", paramLabel = "TEXT", description = "What the model is told first.")
  private @Nullable String system;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      description = "0 (always the likeliest word) to 2.")
  private @Nullable Double temperature;

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      defaultValue = "0",
      description = "The longest answer, in tokens (default: what fits).")
  private int maxTokens;

  @Override
  public Integer call() throws IOException {
    if (maxTokens < 0) {
      throw new CommandFailedException(
          ExitCode.USAGE, "--max-tokens is " + maxTokens + " (expected: 0 or more)");
    }
    try (CloisterClient client = profile.open()) {
      String name = model == null ? firstReady(client) : model;
      List<ChatMessage> conversation = new ArrayList<>();
      if (system != null) {
        conversation.add(new ChatMessage(Role.SYSTEM, system));
      }
      if (prompt != null) {
        ask(client, name, conversation, prompt);
      } else {
        converse(client, name, conversation);
      }
      return ExitCode.OK;
    }
  }

  private static String firstReady(CloisterClient client) {
    return client.models().stream()
        .filter(ModelInfo::isReady)
        .map(ModelInfo::name)
        .findFirst()
        .orElseThrow(
            () ->
                new CommandFailedException(
                    ExitCode.NO_CAPACITY,
                    "no model is ready on any node; see: cloister model list"));
  }

  private void converse(CloisterClient client, String name, List<ChatMessage> conversation)
      throws IOException {
    PrintWriter err = spec.commandLine().getErr();
    boolean interactive = OutputOptions.isInteractive();
    if (interactive) {
      err.println("Talking to " + name + ". End with Ctrl-D.");
    }
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    while (true) {
      if (interactive) {
        err.print("> ");
        err.flush();
      }
      @Nullable String line = lines.readLine();
      if (line == null) {
        return;
      }
      if (line.isBlank()) {
        continue;
      }
      try {
        ask(client, name, conversation, line);
      } catch (CloisterException e) {
        if (!interactive) {
          throw e;
        }
        // The conversation goes on without the question that found no answer.
        conversation.removeLast();
        err.println("cloister: " + e.getMessage());
      }
    }
  }

  private void ask(
      CloisterClient client, String name, List<ChatMessage> conversation, String question) {
    conversation.add(new ChatMessage(Role.USER, question));
    ChatRequest request = ChatRequest.of(name, conversation).withMaxTokens(maxTokens);
    if (temperature != null) {
      request = request.withTemperature(temperature);
    }
    PrintWriter out = spec.commandLine().getOut();
    try (ChatStream answer = client.stream(request)) {
      while (answer.hasNext()) {
        String piece = answer.next();
        if (!output.json()) {
          out.print(piece);
          out.flush();
        }
      }
      ChatResponse whole = answer.complete();
      if (output.json()) {
        output.print(
            spec,
            json -> {
              json.writeStartObject();
              json.writeStringField("model", name);
              json.writeStringField("answer", whole.text());
              json.writeBooleanField("truncated", whole.truncated());
              json.writeNumberField("prompt_tokens", whole.promptTokens());
              json.writeNumberField("completion_tokens", whole.completionTokens());
              json.writeStringField("node", whole.node());
              json.writeEndObject();
            });
      } else {
        out.println();
      }
      conversation.add(new ChatMessage(Role.ASSISTANT, whole.text()));
    }
  }
}
