package dev.cloister.coordinator.gateway.openai;

import com.fasterxml.jackson.databind.JsonNode;
import dev.cloister.coordinator.inference.Generation;
import dev.cloister.coordinator.inference.GenerationEvent.ToolCallDelta;
import dev.cloister.coordinator.inference.InvalidGenerationException;
import dev.cloister.coordinator.inference.Sampling;
import dev.cloister.coordinator.inference.prompt.AnswerFormat;
import dev.cloister.coordinator.inference.prompt.Prompt;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What {@code /v1/chat/completions} and {@code /v1/completions} are asked.
 *
 * @param choices how many answers are wanted
 * @param parallelToolCalls whether an answer may call several tools
 */
record CompletionRequest(
    String model,
    Generation generation,
    int choices,
    boolean parallelToolCalls,
    boolean stream,
    boolean includeUsage) {

  /** Each choice is a generation of its own and takes a slot of its own. */
  private static final int MOST_CHOICES = 8;

  /** As OpenAI has it for {@code /v1/completions}; a chat has no limit but the context. */
  private static final int DEFAULT_COMPLETION_TOKENS = 16;

  /**
   * @throws InvalidGenerationException if a field is missing, malformed or asks for what is not
   *     supported
   */
  static CompletionRequest chat(Fields body) {
    for (String unsupported : List.of("functions", "audio", "prediction")) {
      body.refuse(unsupported);
    }
    OptionalInt limit = limit(body, "max_completion_tokens");
    if (limit.isEmpty()) {
      limit = limit(body, "max_tokens");
    }
    return of(
        body,
        new Prompt.Chat(ChatMessages.read(body), ToolFields.tools(body), ToolFields.choice(body)),
        limit.orElse(0),
        chatLogprobs(body));
  }

  /**
   * @throws InvalidGenerationException as {@link #chat}
   */
  static CompletionRequest text(Fields body) {
    for (String unsupported : List.of("suffix", "echo")) {
      body.refuse(unsupported);
    }
    OptionalInt bestOf = body.smallInteger("best_of", 1, MOST_CHOICES);
    if (bestOf.isPresent() && bestOf.getAsInt() != choices(body)) {
      throw body.refused(
          "best_of", "is " + bestOf.getAsInt() + " (expected: as many as n; no choice is dropped)");
    }
    List<String> prompts = body.strings("prompt");
    if (prompts.size() != 1) {
      throw body.refused("prompt", "has " + prompts.size() + " texts (expected: 1)");
    }
    return of(
        body,
        new Prompt.Text(prompts.getFirst()),
        limit(body, "max_tokens").orElse(DEFAULT_COMPLETION_TOKENS),
        completionLogprobs(body));
  }

  private static CompletionRequest of(
      Fields body, Prompt prompt, int maxTokens, OptionalInt topLogprobs) {
    boolean stream = body.flag("stream", false);
    Optional<Fields> streamOptions = body.object("stream_options");
    if (streamOptions.isPresent() && !stream) {
      throw body.refused("stream_options", "is only allowed with stream: true");
    }
    return new CompletionRequest(
        body.requiredString("model"),
        new Generation(
            prompt, sampling(body), maxTokens, body.strings("stop"), format(body), topLogprobs),
        choices(body),
        body.flag("parallel_tool_calls", true),
        stream,
        streamOptions.map(options -> options.flag("include_usage", false)).orElse(false));
  }

  private static int choices(Fields body) {
    return body.smallInteger("n", 1, MOST_CHOICES).orElse(1);
  }

  private static OptionalInt limit(Fields body, String name) {
    return body.smallInteger(name, 1, Generation.MAX_TOKENS);
  }

  /** {@code logprobs} is a switch, and {@code top_logprobs} the number of alternatives. */
  private static OptionalInt chatLogprobs(Fields body) {
    OptionalInt top = body.smallInteger("top_logprobs", 0, Generation.MAX_TOP_LOGPROBS);
    if (body.flag("logprobs", false)) {
      return OptionalInt.of(top.orElse(0));
    }
    if (top.orElse(0) > 0) {
      throw body.refused("top_logprobs", "is only allowed with logprobs: true");
    }
    return OptionalInt.empty();
  }

  /** {@code logprobs} is the number of alternatives; some clients send false for none at all. */
  private static OptionalInt completionLogprobs(Fields body) {
    @Nullable JsonNode value = body.get("logprobs");
    return value != null && value.isBoolean() && !value.booleanValue()
        ? OptionalInt.empty()
        : body.smallInteger("logprobs", 0, Generation.MAX_TOP_LOGPROBS);
  }

  private static Sampling sampling(Fields body) {
    return new Sampling(
        body.number("temperature"),
        body.number("top_p"),
        body.smallInteger("top_k", 0, Integer.MAX_VALUE),
        body.number("min_p"),
        body.number("typical_p"),
        body.integer("seed", 0, Long.MAX_VALUE),
        body.number("frequency_penalty"),
        body.number("presence_penalty"),
        body.number("repeat_penalty"),
        body.smallInteger("repeat_last_n", 0, Integer.MAX_VALUE),
        logitBias(body));
  }

  /** Keys are token ids, as strings: JSON has no others. */
  private static Map<Integer, Float> logitBias(Fields body) {
    Map<Integer, Float> read = new HashMap<>();
    for (Map.Entry<String, JsonNode> bias :
        body.object("logit_bias").map(Fields::entries).orElse(Set.of())) {
      if (!bias.getKey().matches("[0-9]{1,9}") || !bias.getValue().isNumber()) {
        throw body.refused(
            "logit_bias", "is malformed (expected: token ids as strings, each with a number)");
      }
      read.put(Integer.valueOf(bias.getKey()), bias.getValue().floatValue());
    }
    return read;
  }

  private static AnswerFormat format(Fields body) {
    AnswerFormat format =
        body.object("response_format")
            .map(CompletionRequest::responseFormat)
            .orElseGet(AnswerFormat.Text::new);
    Optional<String> grammar = body.string("grammar").filter(text -> !text.isEmpty());
    if (grammar.isEmpty()) {
      return format;
    }
    if (!(format instanceof AnswerFormat.Text)) {
      throw body.refused("grammar", "is only allowed without another response_format");
    }
    return new AnswerFormat.Grammar(grammar.get());
  }

  private static AnswerFormat responseFormat(Fields format) {
    return switch (format.requiredString("type")) {
      case "text" -> new AnswerFormat.Text();
      // llama.cpp takes a schema here as well.
      case "json_object" ->
          format
              .object("schema")
              .<AnswerFormat>map(schema -> new AnswerFormat.JsonSchema(schema.json()))
              .orElseGet(AnswerFormat.JsonObject::new);
      case "json_schema" -> {
        Fields described = format.requiredObject("json_schema");
        // Read for their types alone: the answer always follows the schema.
        var _ = described.string("name");
        var _ = described.flag("strict", false);
        yield new AnswerFormat.JsonSchema(described.requiredObject("schema").json());
      }
      default ->
          throw format.refused("type", "is unknown (expected: text, json_object or json_schema)");
    };
  }

  /** Whether a piece of a tool call is one the caller wants to see. */
  boolean wants(ToolCallDelta call) {
    return parallelToolCalls || call.index() == 0;
  }
}
