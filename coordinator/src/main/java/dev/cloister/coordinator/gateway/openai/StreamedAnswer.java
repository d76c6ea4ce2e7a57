package dev.cloister.coordinator.gateway;

import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpResponseWriter;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.ResponseHeaders;
import dev.cloister.coordinator.inference.GenerationEvent;
import dev.cloister.coordinator.inference.GenerationEvent.Failed;
import dev.cloister.coordinator.inference.GenerationEvent.Finished;
import dev.cloister.coordinator.inference.GenerationEvent.Started;
import dev.cloister.coordinator.inference.GenerationEvent.TextDelta;
import dev.cloister.coordinator.inference.GenerationSink;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Writes an answer as server-sent events. The status line waits for the first event, so that a
 * request refused by its engine still gets a proper status.
 */
final class StreamedAnswer implements GenerationSink {
  private static final byte[] DATA = "data: ".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] DONE = "[DONE]".getBytes(StandardCharsets.US_ASCII);

  /** A caller that lets this much pile up is not reading. */
  private static final long MOST_UNREAD_BYTES = 4 << 20;

  private final AnswerShape shape;
  private final HttpResponseWriter response;
  private final boolean includeUsage;
  private final AtomicLong unreadBytes = new AtomicLong();
  private boolean open;

  StreamedAnswer(AnswerShape shape, HttpResponseWriter response, boolean includeUsage) {
    this.shape = shape;
    this.response = response;
    this.includeUsage = includeUsage;
  }

  @Override
  public void accept(GenerationEvent event) {
    switch (event) {
      case Started started -> begin(started.node());
      case TextDelta delta -> send(shape.delta(delta.text()));
      case Finished finished -> {
        send(shape.closing(finished.reason()));
        if (includeUsage) {
          send(shape.usage(finished.usage()));
        }
        send(DONE);
        response.close();
      }
      case Failed failed -> {
        OpenAiError error = OpenAiError.of(failed, shape.promptParameter());
        if (open) {
          send(error.body());
        } else {
          error.write(response);
        }
        response.close();
      }
    }
  }

  private void begin(String node) {
    open = true;
    // Not write: it throws when the caller has gone already.
    var _ =
        response.tryWrite(
            ResponseHeaders.builder(HttpStatus.OK)
                .add("content-type", "text/event-stream; charset=utf-8")
                .add("cache-control", "no-cache")
                // Proxies such as nginx would hold events back.
                .add("x-accel-buffering", "no")
                .add(Gateway.NODE_HEADER, node)
                .build());
    byte @Nullable [] opening = shape.opening();
    if (opening != null) {
      send(opening);
    }
  }

  private void send(byte[] json) {
    byte[] event = new byte[DATA.length + json.length + 2];
    System.arraycopy(DATA, 0, event, 0, DATA.length);
    System.arraycopy(json, 0, event, DATA.length, json.length);
    event[event.length - 2] = '\n';
    event[event.length - 1] = '\n';
    if (unreadBytes.addAndGet(event.length) > MOST_UNREAD_BYTES) {
      // Not close: it would wait for the caller to read what piled up.
      response.abort(new SlowReaderException());
    } else if (response.tryWrite(HttpData.wrap(event))) {
      var _ = response.whenConsumed().thenRun(() -> unreadBytes.addAndGet(-event.length));
    }
  }

  /** Ends the response of a caller that does not read it. */
  static final class SlowReaderException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    SlowReaderException() {
      super("the caller does not read its answer", null, false, false);
    }
  }
}
