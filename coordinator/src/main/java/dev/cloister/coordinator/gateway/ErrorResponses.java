package dev.cloister.coordinator.gateway;

import com.linecorp.armeria.common.AggregatedHttpResponse;
import com.linecorp.armeria.common.ClosedSessionException;
import com.linecorp.armeria.common.ContentTooLargeException;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.common.stream.ClosedStreamException;
import com.linecorp.armeria.server.HttpStatusException;
import com.linecorp.armeria.server.ServerErrorHandler;
import com.linecorp.armeria.server.ServiceConfig;
import com.linecorp.armeria.server.ServiceRequestContext;
import dev.cloister.coordinator.gateway.openai.CompletionEndpoint.SlowReaderException;
import dev.cloister.coordinator.gateway.openai.OpenAiError;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Gives every error that no endpoint made the shape that callers expect. */
final class ErrorResponses implements ServerErrorHandler {
  private static final Logger log = LoggerFactory.getLogger(ErrorResponses.class);

  @Override
  public HttpResponse onServiceException(ServiceRequestContext context, Throwable cause) {
    if (cause instanceof ContentTooLargeException) {
      return error(HttpStatus.REQUEST_ENTITY_TOO_LARGE).response();
    }
    if (cause instanceof HttpStatusException status) {
      return error(status.httpStatus()).response();
    }
    if (cause instanceof ClosedSessionException
        || cause instanceof ClosedStreamException
        || cause instanceof SlowReaderException) {
      log.debug("{} {}: the caller is gone", context.method(), context.mappedPath(), cause);
      return error(HttpStatus.SERVICE_UNAVAILABLE).response();
    }
    log.error("{} {} failed", context.method(), context.mappedPath(), cause);
    return error(HttpStatus.INTERNAL_SERVER_ERROR).response();
  }

  @Override
  public AggregatedHttpResponse renderStatus(
      @Nullable ServiceRequestContext context,
      ServiceConfig config,
      @Nullable RequestHeaders headers,
      HttpStatus status,
      @Nullable String description,
      @Nullable Throwable cause) {
    OpenAiError error = error(status);
    return AggregatedHttpResponse.of(
        error.headers(), com.linecorp.armeria.common.HttpData.wrap(error.body()));
  }

  private static OpenAiError error(HttpStatus status) {
    return OpenAiError.of(
        status,
        switch (status.code()) {
          case 404 -> "there is no such path; see the list in docs/api.md";
          case 405 -> "this path does not take this method";
          case 413 ->
              "the request body is too large (expected: at most "
                  + (Gateway.MAX_BODY_BYTES >> 20)
                  + " MiB)";
          case 500 -> "Cloister failed to answer; the coordinator's log says why";
          default -> status.reasonPhrase();
        });
  }
}
