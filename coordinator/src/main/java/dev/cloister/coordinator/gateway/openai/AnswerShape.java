package dev.cloister.coordinator.gateway.openai;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.cloister.coordinator.inference.GenerationEvent.FinishReason;
import dev.cloister.coordinator.inference.GenerationEvent.TextDelta;
import dev.cloister.coordinator.inference.GenerationEvent.Usage;
import dev.cloister.coordinator.inference.TokenLogprob;
import dev.cloister.coordinator.inference.prompt.ToolCall;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How an answer of one of OpenAI's two completion APIs is written. Immutable. */
final class AnswerShape {
  private final Api api;
  private final String id;
  private final String model;
  private final long createdSeconds;
  private final boolean logprobs;

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

  /**
   * @param logprobs whether probabilities were asked for
   */
  AnswerShape(Api api, String requestId, String model, long createdSeconds, boolean logprobs) {
    this.api = api;
    this.id = api.idPrefix + requestId;
    this.model = model;
    this.createdSeconds = createdSeconds;
    this.logprobs = logprobs;
  }

  String promptParameter() {
    return api.promptParameter;
  }

  /** The whole answer. */
  byte[] whole(List<Choice> choices) {
    return Json.bytes(
        json -> {
          writeHead(json, api.object);
          json.writeArrayFieldStart("choices");
          for (int index = 0; index < choices.size(); index++) {
            write(json, index, choices.get(index));
          }
          json.writeEndArray();
          writeUsage(json, choices.stream().map(choice -> choice.finished().usage()).toList());
          json.writeEndObject();
        });
  }

  private void write(JsonGenerator json, int index, Choice choice) throws IOException {
    json.writeStartObject();
    json.writeNumberField("index", index);
    switch (api) {
      case CHAT -> writeMessage(json, choice);
      case COMPLETION -> json.writeStringField("text", choice.text());
    }
    writeLogprobs(json, choice.logprobs(), 0);
    json.writeStringField("finish_reason", name(choice.finished().reason()));
    json.writeEndObject();
  }

  private static void writeMessage(JsonGenerator json, Choice choice) throws IOException {
    List<ToolCall> calls = choice.toolCalls();
    json.writeObjectFieldStart("message");
    json.writeStringField("role", "assistant");
    json.writeStringField(
        "content", choice.text().isEmpty() && !calls.isEmpty() ? null : choice.text());
    json.writeNullField("refusal");
    if (!choice.reasoning().isEmpty()) {
      json.writeStringField("reasoning_content", choice.reasoning());
    }
    if (!calls.isEmpty()) {
      json.writeArrayFieldStart("tool_calls");
      for (ToolCall call : calls) {
        json.writeStartObject();
        writeCall(json, call);
        json.writeEndObject();
      }
      json.writeEndArray();
    }
    json.writeEndObject();
  }

  private static void writeCall(JsonGenerator json, ToolCall call) throws IOException {
    json.writeStringField("id", call.id());
    json.writeStringField("type", "function");
    json.writeObjectFieldStart("function");
    json.writeStringField("name", call.name());
    json.writeStringField("arguments", call.arguments());
    json.writeEndObject();
  }

  /** The first chunk of a choice of a chat: it names the role. A completion has none. */
  byte @Nullable [] opening(int index) {
    return switch (api) {
      case CHAT ->
          chatChunk(
              index,
              delta -> {
                delta.writeStringField("role", "assistant");
                delta.writeStringField("content", "");
              });
      case COMPLETION -> null;
    };
  }

  /**
   * The next piece of text.
   *
   * @param offset characters of the answer before this piece
   */
  byte[] text(int index, TextDelta piece, int offset) {
    return switch (api) {
      case CHAT ->
          chunk(
              index,
              json -> {
                json.writeObjectFieldStart("delta");
                json.writeStringField("content", piece.text());
                json.writeEndObject();
                writeLogprobs(json, piece.logprobs(), offset);
              },
              null);
      case COMPLETION ->
          chunk(
              index,
              json -> {
                json.writeStringField("text", piece.text());
                writeLogprobs(json, piece.logprobs(), offset);
              },
              null);
    };
  }

  /** The next piece of what the model thinks. Text to go on with has none. */
  byte @Nullable [] reasoning(int index, String piece) {
    return switch (api) {
      case CHAT -> chatChunk(index, delta -> delta.writeStringField("reasoning_content", piece));
      case COMPLETION -> null;
    };
  }

  /** The first piece of a tool call; its arguments are empty as yet. */
  byte[] callBegins(int index, int call, String id, String name) {
    return callChunk(index, call, json -> writeCall(json, new ToolCall(id, name, "")));
  }

  /** The next piece of the arguments of a tool call. */
  byte[] callGoesOn(int index, int call, String arguments) {
    return callChunk(
        index,
        call,
        json -> {
          json.writeObjectFieldStart("function");
          json.writeStringField("arguments", arguments);
          json.writeEndObject();
        });
  }

  private byte[] callChunk(int index, int call, Json.Content content) {
    return chatChunk(
        index,
        delta -> {
          delta.writeArrayFieldStart("tool_calls");
          delta.writeStartObject();
          delta.writeNumberField("index", call);
          content.write(delta);
          delta.writeEndObject();
          delta.writeEndArray();
        });
  }

  /** The last chunk of a choice. */
  byte[] closing(int index, FinishReason reason) {
    return chunk(
        index,
        json -> {
          switch (api) {
            case CHAT -> {
              json.writeObjectFieldStart("delta");
              json.writeEndObject();
            }
            case COMPLETION -> json.writeStringField("text", "");
          }
          json.writeNullField("logprobs");
        },
        name(reason));
  }

  /** The chunk that {@code stream_options.include_usage} asks for: usage and no choices. */
  byte[] usage(List<Usage> usages) {
    return Json.bytes(
        json -> {
          writeHead(json, api.chunkObject);
          json.writeArrayFieldStart("choices");
          json.writeEndArray();
          writeUsage(json, usages);
          json.writeEndObject();
        });
  }

  private byte[] chatChunk(int index, Json.Content delta) {
    return chunk(
        index,
        json -> {
          json.writeObjectFieldStart("delta");
          delta.write(json);
          json.writeEndObject();
          json.writeNullField("logprobs");
        },
        null);
  }

  private byte[] chunk(int index, Json.Content content, @Nullable String finishReason) {
    return Json.bytes(
        json -> {
          writeHead(json, api.chunkObject);
          json.writeArrayFieldStart("choices");
          json.writeStartObject();
          json.writeNumberField("index", index);
          content.write(json);
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

  private void writeLogprobs(JsonGenerator json, List<TokenLogprob> tokens, int offset)
      throws IOException {
    if (!logprobs) {
      json.writeNullField("logprobs");
      return;
    }
    json.writeFieldName("logprobs");
    switch (api) {
      case CHAT -> Logprobs.writeChat(json, tokens);
      case COMPLETION -> Logprobs.writeCompletion(json, tokens, offset);
    }
  }

  /**
   * The prompt counts once, however many choices went on from it, and as cached counts what no
   * choice had to compute.
   */
  private static void writeUsage(JsonGenerator json, List<Usage> choices) throws IOException {
    int prompt = choices.getFirst().promptTokens();
    int cached = choices.stream().mapToInt(Usage::cachedPromptTokens).min().orElseThrow();
    int completion = choices.stream().mapToInt(Usage::completionTokens).sum();
    json.writeObjectFieldStart("usage");
    json.writeNumberField("prompt_tokens", prompt);
    json.writeNumberField("completion_tokens", completion);
    json.writeNumberField("total_tokens", prompt + completion);
    json.writeObjectFieldStart("prompt_tokens_details");
    json.writeNumberField("cached_tokens", cached);
    json.writeEndObject();
    json.writeEndObject();
  }

  private static String name(FinishReason reason) {
    return switch (reason) {
      case STOP, CANCELLED -> "stop";
      case LENGTH -> "length";
      case TOOL_CALLS -> "tool_calls";
    };
  }
}
