package dev.cloister.coordinator.gateway;

import com.linecorp.armeria.common.AggregatedHttpRequest;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpResponseWriter;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServiceRequestContext;
import dev.cloister.coordinator.gateway.AnswerShape.Api;
import dev.cloister.coordinator.inference.GenerationSink;
import dev.cloister.coordinator.inference.InvalidGenerationException;
import dev.cloister.coordinator.routing.ActiveRequest;
import dev.cloister.coordinator.routing.Dispatcher;
import dev.cloister.coordinator.routing.RequestId;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** {@code POST /v1/chat/completions} and {@code POST /v1/completions}. */
final class CompletionEndpoint implements HttpService {
  /** A caller that takes longer to send its request holds memory and sends nothing. */
  private static final Duration LONGEST_UPLOAD = Duration.ofSeconds(60);

  private final Api api;
  private final Dispatcher dispatcher;
  private final InstantSource clock;
  private final Executor workers;

  /**
   * @param workers parse requests, off the event loop
   */
  CompletionEndpoint(Api api, Dispatcher dispatcher, InstantSource clock, Executor workers) {
    this.api = api;
    this.dispatcher = dispatcher;
    this.clock = clock;
    this.workers = workers;
  }

  @Override
  public HttpResponse serve(ServiceRequestContext context, HttpRequest request) {
    String requestId = RequestId.next();
    context.setAdditionalResponseHeader("x-request-id", requestId);
    context.setAdditionalResponseHeader(Gateway.REQUEST_HEADER, requestId);
    context.setRequestTimeout(LONGEST_UPLOAD);
    HttpResponseWriter response = HttpResponse.streaming();
    request
        .aggregate()
        .thenAcceptAsync(
            whole -> {
              // An answer takes as long as it takes; a caller that leaves cancels it.
              context.clearRequestTimeout();
              answer(context, requestId, whole, response);
            },
            workers)
        .exceptionally(
            failure -> {
              response.close(
                  failure instanceof CompletionException && failure.getCause() != null
                      ? failure.getCause()
                      : failure);
              return null;
            });
    return response;
  }

  private void answer(
      ServiceRequestContext context,
      String requestId,
      AggregatedHttpRequest request,
      HttpResponseWriter response) {
    CompletionRequest asked;
    try {
      RequestBody body = RequestBody.parse(request.content());
      asked =
          switch (api) {
            case CHAT -> CompletionRequest.chat(body);
            case COMPLETION -> CompletionRequest.text(body);
          };
    } catch (InvalidGenerationException e) {
      OpenAiError.invalid(e.parameter().equals("body") ? null : e.parameter(), e.getMessage())
          .write(response);
      response.close();
      return;
    }
    AnswerShape shape =
        new AnswerShape(api, requestId, asked.model(), clock.instant().getEpochSecond());
    GenerationSink sink =
        asked.stream()
            ? new StreamedAnswer(shape, response, asked.includeUsage())
            : new WholeAnswer(shape, response);
    ActiveRequest active = dispatcher.submit(requestId, asked.model(), asked.generation(), sink);
    // Completes with a failure when the caller goes away before the answer is complete.
    response
        .whenComplete()
        .exceptionally(
            gone -> {
              active.cancel();
              return null;
            });
    cancelWithConnection(context, active, response);
  }

  /** With HTTP/1.1, Armeria fails the response only a second after the connection is closed. */
  private static void cancelWithConnection(
      ServiceRequestContext context, ActiveRequest active, HttpResponseWriter response) {
    @Nullable Channel connection = context.log().partial().channel();
    if (connection == null) {
      return;
    }
    ChannelFutureListener cancel = closed -> active.cancel();
    connection.closeFuture().addListener(cancel);
    var _ =
        response
            .whenComplete()
            .whenComplete((done, gone) -> connection.closeFuture().removeListener(cancel));
  }
}
