package dev.cloister.coordinator.gateway.openai;

import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpResponseWriter;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.common.ResponseHeadersBuilder;
import dev.cloister.coordinator.inference.GenerationEvent.Failed;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * An error as OpenAI's API tells it: {@code {"error": {"message", "type", "param", "code"}}}.
 *
 * @param message one sentence for the caller
 * @param param the parameter that is wrong, if one is
 * @param retryAfter told with the statuses that ask for a repetition
 */
public record OpenAiError(
    HttpStatus status,
    String message,
    String type,
    @Nullable String param,
    @Nullable String code,
    Duration retryAfter) {

  private static final String INVALID = "invalid_request_error";
  private static final String SERVER = "server_error";

  /** Where nobody knows better. */
  private static final Duration SOON = Duration.ofSeconds(2);

  public OpenAiError {
    // A caller's own words may be in it, and half a surrogate pair has no UTF-8 form.
    message = new String(message.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
  }

  OpenAiError(
      HttpStatus status,
      String message,
      String type,
      @Nullable String param,
      @Nullable String code) {
    this(status, message, type, param, code, SOON);
  }

  static OpenAiError invalid(@Nullable String param, String message) {
    return new OpenAiError(HttpStatus.BAD_REQUEST, message, INVALID, param, null);
  }

  /** No key, or no good one. */
  public static OpenAiError invalidKey(String message) {
    return new OpenAiError(HttpStatus.UNAUTHORIZED, message, INVALID, null, "invalid_api_key");
  }

  /** What a status says of itself. */
  public static OpenAiError of(HttpStatus status, String message) {
    return new OpenAiError(status, message, status.isServerError() ? SERVER : INVALID, null, null);
  }

  /**
   * @param promptParameter what the API calls the prompt
   */
  static OpenAiError of(Failed failed, String promptParameter) {
    return switch (failed.code()) {
      case INVALID_REQUEST ->
          invalid(
              failed
                  .parameter()
                  .map(name -> name.equals("prompt") ? promptParameter : name)
                  .orElse(null),
              failed.message());
      case CONTEXT_LENGTH_EXCEEDED ->
          new OpenAiError(
              HttpStatus.BAD_REQUEST,
              failed.message(),
              INVALID,
              promptParameter,
              "context_length_exceeded");
      case MODEL_NOT_FOUND ->
          new OpenAiError(
              HttpStatus.NOT_FOUND, failed.message(), INVALID, "model", "model_not_found");
      case NOT_ALLOWED ->
          new OpenAiError(HttpStatus.FORBIDDEN, failed.message(), INVALID, null, "not_allowed");
      case NO_CAPACITY ->
          new OpenAiError(
              HttpStatus.SERVICE_UNAVAILABLE,
              failed.message(),
              SERVER,
              null,
              "no_capacity",
              failed.retryAfter().orElse(SOON));
      case TOO_MANY_REQUESTS ->
          new OpenAiError(
              HttpStatus.TOO_MANY_REQUESTS,
              failed.message(),
              "requests",
              null,
              "rate_limit_exceeded",
              failed.retryAfter().orElse(SOON));
      case NODE_LOST ->
          new OpenAiError(HttpStatus.BAD_GATEWAY, failed.message(), SERVER, null, "node_lost");
      case INTERNAL ->
          new OpenAiError(
              HttpStatus.INTERNAL_SERVER_ERROR, failed.message(), SERVER, null, "internal_error");
    };
  }

  /** As JSON. */
  public byte[] body() {
    return Json.bytes(
        json -> {
          json.writeStartObject();
          json.writeObjectFieldStart("error");
          json.writeStringField("message", message);
          json.writeStringField("type", type);
          json.writeStringField("param", param);
          json.writeStringField("code", code);
          json.writeEndObject();
          json.writeEndObject();
        });
  }

  /** The status, and when to try again. */
  public ResponseHeaders headers() {
    ResponseHeadersBuilder headers =
        ResponseHeaders.builder(status).contentType(MediaType.JSON_UTF_8);
    if (status.equals(HttpStatus.SERVICE_UNAVAILABLE)
        || status.equals(HttpStatus.TOO_MANY_REQUESTS)) {
      headers.addLong("retry-after", retryAfter.toSeconds());
    }
    if (status.equals(HttpStatus.FORBIDDEN)) {
      // Clients of OpenAI's API go by it.
      headers.add("x-should-retry", "false");
    }
    if (status.equals(HttpStatus.UNAUTHORIZED)) {
      headers.add("www-authenticate", "Bearer");
    }
    return headers.build();
  }

  /** Writes it, unless the caller has gone already. */
  void write(HttpResponseWriter response) {
    var _ = response.tryWrite(headers());
    var _ = response.tryWrite(HttpData.wrap(body()));
  }

  /** Both together. */
  public HttpResponse response() {
    return HttpResponse.of(headers(), HttpData.wrap(body()));
  }
}
