package dev.cloister.coordinator.gateway.openai;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.cloister.coordinator.inference.TokenLogprob;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Probabilities of tokens, as OpenAI's two completion APIs write them. */
final class Logprobs {
  /** JSON has no infinity; OpenAI stands this in for it. */
  private static final float IMPOSSIBLE = -9999;

  private Logprobs() {}

  /** {@code {"content": [{"token", "logprob", "bytes", "top_logprobs"}], "refusal": null}}. */
  static void writeChat(JsonGenerator json, List<TokenLogprob> logprobs) throws IOException {
    json.writeStartObject();
    json.writeArrayFieldStart("content");
    for (TokenLogprob each : logprobs) {
      json.writeStartObject();
      writeChoice(json, each.token());
      json.writeArrayFieldStart("top_logprobs");
      for (TokenLogprob.Choice choice : each.top()) {
        json.writeStartObject();
        writeChoice(json, choice);
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeNullField("refusal");
    json.writeEndObject();
  }

  private static void writeChoice(JsonGenerator json, TokenLogprob.Choice choice)
      throws IOException {
    json.writeStringField("token", choice.text());
    json.writeNumberField("logprob", finite(choice.logprob()));
    json.writeArrayFieldStart("bytes");
    for (byte each : choice.bytes()) {
      json.writeNumber(Byte.toUnsignedInt(each));
    }
    json.writeEndArray();
  }

  /**
   * {@code {"tokens": [], "token_logprobs": [], "top_logprobs": [{token: logprob}], "text_offset":
   * []}}.
   *
   * @param offset characters of the answer before these tokens
   */
  static void writeCompletion(JsonGenerator json, List<TokenLogprob> logprobs, int offset)
      throws IOException {
    json.writeStartObject();
    json.writeArrayFieldStart("tokens");
    for (TokenLogprob each : logprobs) {
      json.writeString(each.token().text());
    }
    json.writeEndArray();
    json.writeArrayFieldStart("token_logprobs");
    for (TokenLogprob each : logprobs) {
      json.writeNumber(finite(each.token().logprob()));
    }
    json.writeEndArray();
    json.writeArrayFieldStart("top_logprobs");
    for (TokenLogprob each : logprobs) {
      writeTop(json, each.top());
    }
    json.writeEndArray();
    json.writeArrayFieldStart("text_offset");
    int next = offset;
    for (TokenLogprob each : logprobs) {
      json.writeNumber(next);
      next += characters(List.of(each));
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private static void writeTop(JsonGenerator json, List<TokenLogprob.Choice> top)
      throws IOException {
    Set<String> written = new HashSet<>();
    json.writeStartObject();
    for (TokenLogprob.Choice choice : top) {
      // Parts of characters look alike as text; the most likely stands for them.
      if (written.add(choice.text())) {
        json.writeNumberField(choice.text(), finite(choice.logprob()));
      }
    }
    json.writeEndObject();
  }

  /** Characters that begin in these tokens. */
  static int characters(List<TokenLogprob> logprobs) {
    int characters = 0;
    for (TokenLogprob each : logprobs) {
      for (byte unit : each.token().bytes()) {
        // Every byte of UTF-8 but 10xxxxxx begins a character (RFC 3629, section 3).
        characters += (unit & 0xC0) == 0x80 ? 0 : 1;
      }
    }
    return characters;
  }

  private static float finite(float logprob) {
    return Float.isFinite(logprob) ? logprob : IMPOSSIBLE;
  }
}
