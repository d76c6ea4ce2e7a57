package dev.cloister.coordinator.gateway.openai;

import com.linecorp.armeria.common.AggregatedHttpRequest;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpResponseWriter;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServiceRequestContext;
import dev.cloister.coordinator.gateway.openai.AnswerShape.Api;
import dev.cloister.coordinator.inference.GenerationRequest;
import dev.cloister.coordinator.inference.InvalidGenerationException;
import dev.cloister.coordinator.inference.Tenant;
import dev.cloister.coordinator.routing.ActiveRequest;
import dev.cloister.coordinator.routing.Dispatcher;
import dev.cloister.coordinator.routing.RequestId;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.util.AttributeKey;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** {@code POST /v1/chat/completions} and {@code POST /v1/completions}. */
public final class CompletionEndpoint implements HttpService {
  /** Who asks; set by whoever checked the caller's key. */
  public static final AttributeKey<Tenant> TENANT =
      AttributeKey.valueOf(CompletionEndpoint.class, "TENANT");

  static final String NODE_HEADER = "x-cloister-node";
  private static final String REQUEST_HEADER = "x-cloister-request";
  private static final String TIMEOUT_HEADER = "x-cloister-timeout";
  private static final double LONGEST_TIMEOUT_SECONDS = 600;

  /** A caller that takes longer to send its request holds memory and sends nothing. */
  private static final Duration LONGEST_UPLOAD = Duration.ofSeconds(60);

  private final Api api;
  private final Dispatcher dispatcher;
  private final InstantSource clock;
  private final Executor workers;

  private CompletionEndpoint(
      Api api, Dispatcher dispatcher, InstantSource clock, Executor workers) {
    this.api = api;
    this.dispatcher = dispatcher;
    this.clock = clock;
    this.workers = workers;
  }

  /**
   * {@code /v1/chat/completions}.
   *
   * @param workers parse requests and cancel them, off the event loop
   */
  public static CompletionEndpoint chat(
      Dispatcher dispatcher, InstantSource clock, Executor workers) {
    return new CompletionEndpoint(Api.CHAT, dispatcher, clock, workers);
  }

  /** {@code /v1/completions}; otherwise as {@link #chat}. */
  public static CompletionEndpoint text(
      Dispatcher dispatcher, InstantSource clock, Executor workers) {
    return new CompletionEndpoint(Api.COMPLETION, dispatcher, clock, workers);
  }

  @Override
  public HttpResponse serve(ServiceRequestContext context, HttpRequest request) {
    String requestId = RequestId.next();
    context.setAdditionalResponseHeader("x-request-id", requestId);
    context.setAdditionalResponseHeader(REQUEST_HEADER, requestId);
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
    Optional<Duration> timeout;
    try {
      timeout = timeout(request);
      Fields body = Fields.parse(request.content());
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
        new AnswerShape(
            api,
            requestId,
            asked.model(),
            clock.instant().getEpochSecond(),
            asked.generation().topLogprobs().isPresent());
    Answer answer =
        asked.stream()
            ? new StreamedAnswer(asked, shape, response)
            : new WholeAnswer(asked, shape, response);
    List<ActiveRequest> active = start(context, requestId, asked, timeout, answer);
    Runnable cancel = () -> active.forEach(ActiveRequest::cancel);
    // When the caller goes away, or one choice fails and the others are in vain. Not on the thread
    // that ends the response: it may hold the lock of one choice while another waits for it.
    var _ = response.whenComplete().whenCompleteAsync((done, gone) -> cancel.run(), workers);
    cancelWithConnection(context, cancel, response);
  }

  /** After which an answer is to have begun, if the caller says so. */
  private static Optional<Duration> timeout(AggregatedHttpRequest request) {
    @Nullable String value = request.headers().get(TIMEOUT_HEADER);
    if (value == null) {
      return Optional.empty();
    }
    double seconds = value.matches("[0-9]{1,9}([.][0-9]{1,9})?") ? Double.parseDouble(value) : 0;
    if (seconds == 0 || seconds > LONGEST_TIMEOUT_SECONDS) {
      throw new InvalidGenerationException(
          TIMEOUT_HEADER,
          "%s is no time to wait (expected: seconds, above 0, at most %.0f)"
              .formatted(TIMEOUT_HEADER, LONGEST_TIMEOUT_SECONDS));
    }
    return Optional.of(Duration.ofNanos((long) (seconds * 1e9)));
  }

  private List<ActiveRequest> start(
      ServiceRequestContext context,
      String requestId,
      CompletionRequest asked,
      Optional<Duration> timeout,
      Answer answer) {
    Tenant tenant = Objects.requireNonNull(context.attr(TENANT), "nobody checked the key");
    List<ActiveRequest> active = new ArrayList<>();
    for (int choice = 0; choice < asked.choices(); choice++) {
      active.add(
          dispatcher.submit(
              new GenerationRequest(
                  choice == 0 ? requestId : requestId + "-" + choice,
                  asked.model(),
                  tenant,
                  asked.generation().withSeedPlus(choice)),
              timeout,
              answer.choice(choice)));
    }
    return active;
  }

  /** With HTTP/1.1, Armeria fails the response only a second after the connection is closed. */
  private static void cancelWithConnection(
      ServiceRequestContext context, Runnable cancelAll, HttpResponseWriter response) {
    @Nullable Channel connection = context.log().partial().channel();
    if (connection == null) {
      return;
    }
    ChannelFutureListener cancel = closed -> cancelAll.run();
    connection.closeFuture().addListener(cancel);
    var _ =
        response
            .whenComplete()
            .whenComplete((done, gone) -> connection.closeFuture().removeListener(cancel));
  }

  /** Ends the response of a caller that does not read it. */
  public static final class SlowReaderException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    SlowReaderException() {
      super("the caller does not read its answer", null, false, false);
    }
  }
}
