package dev.cloister.coordinator.gateway;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.cloister.coordinator.inference.GenerationEvent.FinishReason;
import dev.cloister.coordinator.inference.GenerationEvent.Usage;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** How an answer of one of OpenAI's two completion APIs is written. Immutable. */
final class AnswerShape {
  private final Api api;
  private final String id;
  private final String model;
  private final long createdSeconds;

  /** Which of the two APIs. */
  enum Api {
    CHAT("chatcmpl-", "chat.completion", "chat.completion.chunk", "messages"),
    COMPLETION("cmpl-", "text_completion", "text_completion", "prompt");

    final String idPrefix;
    final String object;
    final String chunkObject;
    final String promptParameter;

    Api(String idPrefix, String object, String chunkObject, String promptParameter) {
      this.idPrefix = idPrefix;
      this.object = object;
      this.chunkObject = chunkObject;
      this.promptParameter = promptParameter;
    }
  }

  AnswerShape(Api api, String requestId, String model, long createdSeconds) {
    this.api = api;
    this.id = api.idPrefix + requestId;
    this.model = model;
    this.createdSeconds = createdSeconds;
  }

  String promptParameter() {
    return api.promptParameter;
  }

  /** The whole answer. */
  byte[] whole(String text, FinishReason reason, Usage usage) {
    return Json.bytes(
        json -> {
          writeHead(json, api.object);
          json.writeArrayFieldStart("choices");
          json.writeStartObject();
          json.writeNumberField("index", 0);
          switch (api) {
            case CHAT -> {
              json.writeObjectFieldStart("message");
              json.writeStringField("role", "assistant");
              json.writeStringField("content", text);
              json.writeNullField("refusal");
              json.writeEndObject();
            }
            case COMPLETION -> json.writeStringField("text", text);
          }
          json.writeNullField("logprobs");
          json.writeStringField("finish_reason", name(reason));
          json.writeEndObject();
          json.writeEndArray();
          writeUsage(json, usage);
          json.writeEndObject();
        });
  }

  /** The first chunk of a chat: it names the role. A completion has none. */
  byte @Nullable [] opening() {
    return switch (api) {
      case CHAT ->
          chunk(
              json -> {
                json.writeObjectFieldStart("delta");
                json.writeStringField("role", "assistant");
                json.writeStringField("content", "");
                json.writeEndObject();
              },
              null);
      case COMPLETION -> null;
    };
  }

  byte[] delta(String text) {
    return chunk(
        switch (api) {
          case CHAT ->
              json -> {
                json.writeObjectFieldStart("delta");
                json.writeStringField("content", text);
                json.writeEndObject();
              };
          case COMPLETION -> json -> json.writeStringField("text", text);
        },
        null);
  }

  byte[] closing(FinishReason reason) {
    return chunk(
        switch (api) {
          case CHAT ->
              json -> {
                json.writeObjectFieldStart("delta");
                json.writeEndObject();
              };
          case COMPLETION -> json -> json.writeStringField("text", "");
        },
        name(reason));
  }

  /** The chunk that {@code stream_options.include_usage} asks for: usage and no choices. */
  byte[] usage(Usage usage) {
    return Json.bytes(
        json -> {
          writeHead(json, api.chunkObject);
          json.writeArrayFieldStart("choices");
          json.writeEndArray();
          writeUsage(json, usage);
          json.writeEndObject();
        });
  }

  private byte[] chunk(Json.Content content, @Nullable String finishReason) {
    return Json.bytes(
        json -> {
          writeHead(json, api.chunkObject);
          json.writeArrayFieldStart("choices");
          json.writeStartObject();
          json.writeNumberField("index", 0);
          content.write(json);
          json.writeNullField("logprobs");
          json.writeStringField("finish_reason", finishReason);
          json.writeEndObject();
          json.writeEndArray();
          json.writeEndObject();
        });
  }

  private void writeHead(JsonGenerator json, String object) throws IOException {
    json.writeStartObject();
    json.writeStringField("id", id);
    json.writeStringField("object", object);
    json.writeNumberField("created", createdSeconds);
    json.writeStringField("model", model);
  }

  private static void writeUsage(JsonGenerator json, Usage usage) throws IOException {
    json.writeObjectFieldStart("usage");
    json.writeNumberField("prompt_tokens", usage.promptTokens());
    json.writeNumberField("completion_tokens", usage.completionTokens());
    json.writeNumberField("total_tokens", usage.promptTokens() + usage.completionTokens());
    json.writeEndObject();
  }

  private static String name(FinishReason reason) {
    return switch (reason) {
      case STOP, CANCELLED -> "stop";
      case LENGTH -> "length";
    };
  }
}
