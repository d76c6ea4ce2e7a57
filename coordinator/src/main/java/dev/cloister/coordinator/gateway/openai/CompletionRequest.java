package dev.cloister.coordinator.gateway;

import com.fasterxml.jackson.databind.JsonNode;
import dev.cloister.coordinator.inference.ChatMessage;
import dev.cloister.coordinator.inference.Generation;
import dev.cloister.coordinator.inference.InvalidGenerationException;
import dev.cloister.coordinator.inference.Prompt;
import dev.cloister.coordinator.inference.Sampling;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** What {@code /v1/chat/completions} and {@code /v1/completions} are asked. */
record CompletionRequest(
    String model, Generation generation, boolean stream, boolean includeUsage) {

  /** As OpenAI has it for {@code /v1/completions}; a chat has no limit but the context. */
  private static final int DEFAULT_COMPLETION_TOKENS = 16;

  /**
   * @throws InvalidGenerationException if a field is missing, malformed or asks for what is not
   *     supported
   */
  static CompletionRequest chat(RequestBody body) {
    for (String unsupported :
        List.of(
            "tools",
            "functions",
            "logprobs",
            "top_logprobs",
            "logit_bias",
            "audio",
            "prediction")) {
      body.refuse(unsupported);
    }
    @Nullable JsonNode format = body.get("response_format");
    if (format != null && !"text".equals(format.path("type").asText())) {
      throw new InvalidGenerationException(
          "response_format", "response_format other than text is not supported");
    }
    OptionalInt limit = body.smallInteger("max_completion_tokens");
    String limitName = limit.isPresent() ? "max_completion_tokens" : "max_tokens";
    if (limit.isEmpty()) {
      limit = body.smallInteger("max_tokens");
    }
    return of(body, new Prompt.Chat(messages(body)), maxTokens(limitName, limit, 0));
  }

  /**
   * @throws InvalidGenerationException as {@link #chat}
   */
  static CompletionRequest text(RequestBody body) {
    for (String unsupported : List.of("suffix", "echo", "logprobs", "logit_bias")) {
      body.refuse(unsupported);
    }
    body.refuseMoreThanOne("best_of");
    List<String> prompts = body.strings("prompt");
    if (prompts.size() != 1) {
      throw new InvalidGenerationException(
          "prompt", "prompt has " + prompts.size() + " texts (expected: 1)");
    }
    return of(
        body,
        new Prompt.Text(prompts.getFirst()),
        maxTokens("max_tokens", body.smallInteger("max_tokens"), DEFAULT_COMPLETION_TOKENS));
  }

  private static CompletionRequest of(RequestBody body, Prompt prompt, int maxTokens) {
    body.refuseMoreThanOne("n");
    boolean stream = body.flag("stream");
    @Nullable JsonNode streamOptions = body.get("stream_options");
    if (streamOptions != null && !stream) {
      throw new InvalidGenerationException(
          "stream_options", "stream_options is only allowed with stream: true");
    }
    if (streamOptions != null && !streamOptions.isObject()) {
      throw RequestBody.wrongType("stream_options", streamOptions, "an object");
    }
    return new CompletionRequest(
        body.requiredString("model"),
        new Generation(prompt, sampling(body), maxTokens, body.strings("stop")),
        stream,
        streamOptions != null
            && RequestBody.flag(
                "stream_options.include_usage", streamOptions.get("include_usage")));
  }

  private static int maxTokens(String name, OptionalInt asked, int otherwise) {
    if (asked.isPresent() && asked.getAsInt() < 1) {
      throw new InvalidGenerationException(
          name, name + " is " + asked.getAsInt() + " (expected: 1 or more)");
    }
    return asked.orElse(otherwise);
  }

  private static Sampling sampling(RequestBody body) {
    return new Sampling(
        body.number("temperature"),
        body.number("top_p"),
        body.smallInteger("top_k"),
        body.number("min_p"),
        body.integer("seed"),
        body.number("frequency_penalty"),
        body.number("presence_penalty"));
  }

  private static List<ChatMessage> messages(RequestBody body) {
    @Nullable JsonNode messages = body.get("messages");
    if (messages == null) {
      throw new InvalidGenerationException(
          "messages", "messages is missing (expected: an array of messages)");
    }
    if (!messages.isArray()) {
      throw RequestBody.wrongType("messages", messages, "an array of messages");
    }
    List<ChatMessage> read = new ArrayList<>();
    for (JsonNode message : messages) {
      String name = "messages[" + read.size() + "]";
      if (!message.isObject()) {
        throw RequestBody.wrongType(name, message, "an object with role and content");
      }
      read.add(
          new ChatMessage(
              role(name + ".role", message.path("role")),
              content(name + ".content", message.path("content"))));
    }
    return read;
  }

  private static ChatMessage.Role role(String name, JsonNode role) {
    return switch (role.asText()) {
      case "system", "developer" -> ChatMessage.Role.SYSTEM;
      case "user" -> ChatMessage.Role.USER;
      case "assistant" -> ChatMessage.Role.ASSISTANT;
      case "tool" -> ChatMessage.Role.TOOL;
      default ->
          throw new InvalidGenerationException(
              name, name + " is unknown (expected: system, developer, user, assistant or tool)");
    };
  }

  /** A string, or an array of text parts. */
  private static String content(String name, JsonNode content) {
    if (content.isTextual()) {
      return content.textValue();
    }
    if (!content.isArray()) {
      throw new InvalidGenerationException(
          name, name + " is no text (expected: a string or an array of text parts)");
    }
    StringBuilder text = new StringBuilder();
    for (JsonNode part : content) {
      if (!"text".equals(part.path("type").asText()) || !part.path("text").isTextual()) {
        throw new InvalidGenerationException(
            name, name + " has a part that is no text; only text is supported");
      }
      text.append(part.path("text").textValue());
    }
    return text.toString();
  }
}
