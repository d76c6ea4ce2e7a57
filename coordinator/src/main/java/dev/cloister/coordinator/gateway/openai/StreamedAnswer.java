package dev.cloister.coordinator.gateway.openai;

import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpResponseWriter;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.common.ResponseHeadersBuilder;
import dev.cloister.coordinator.inference.GenerationEvent;
import dev.cloister.coordinator.inference.GenerationEvent.Failed;
import dev.cloister.coordinator.inference.GenerationEvent.Finished;
import dev.cloister.coordinator.inference.GenerationEvent.ReasoningDelta;
import dev.cloister.coordinator.inference.GenerationEvent.Started;
import dev.cloister.coordinator.inference.GenerationEvent.TextDelta;
import dev.cloister.coordinator.inference.GenerationEvent.ToolCallDelta;
import dev.cloister.coordinator.inference.GenerationEvent.Usage;
import dev.cloister.coordinator.inference.GenerationSink;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Writes an answer as server-sent events, those of its choices as they come. The status line waits
 * for the first event, so that a request refused by its engine still gets a proper status; but
 * where the model has to be loaded first, comments keep the caller and all proxies patient.
 */
final class StreamedAnswer implements Answer {
  private static final byte[] DATA = "data: ".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] DONE = "[DONE]".getBytes(StandardCharsets.US_ASCII);

  /** A caller that lets this much pile up is not reading. */
  private static final long MOST_UNREAD_BYTES = 4 << 20;

  private final CompletionRequest asked;
  private final AnswerShape shape;
  private final HttpResponseWriter response;
  private final AtomicLong unreadBytes = new AtomicLong();
  private final List<Usage> usages = new ArrayList<>();
  private boolean open;

  StreamedAnswer(CompletionRequest asked, AnswerShape shape, HttpResponseWriter response) {
    this.asked = asked;
    this.shape = shape;
    this.response = response;
  }

  @Override
  public GenerationSink choice(int index) {
    return new Part(index);
  }

  /** Writes one choice. */
  private final class Part implements GenerationSink {
    private final int index;
    private int characters;

    Part(int index) {
      this.index = index;
    }

    @Override
    public void accept(GenerationEvent event) {
      synchronized (StreamedAnswer.this) {
        take(event);
      }
    }

    @Override
    public void waits(String what) {
      synchronized (StreamedAnswer.this) {
        if (index == 0) {
          begin("");
          // No empty line behind it: some clients take that for the end of an event without data.
          StreamedAnswer.this.write((": " + what + "\n").getBytes(StandardCharsets.UTF_8));
        }
      }
    }

    private void take(GenerationEvent event) {
      switch (event) {
        case Started started -> {
          begin(started.node());
          send(shape.opening(index));
        }
        case TextDelta piece -> {
          send(shape.text(index, piece, characters));
          characters += Logprobs.characters(piece.logprobs());
        }
        case ReasoningDelta piece -> send(shape.reasoning(index, piece.text()));
        case ToolCallDelta piece -> {
          if (asked.wants(piece)) {
            write(piece);
          }
        }
        case Finished finished -> {
          send(shape.closing(index, finished.reason()));
          finish(finished.usage());
        }
        case Failed failed -> fail(OpenAiError.of(failed, shape.promptParameter()));
      }
    }

    /** The first piece has no arguments in OpenAI's form, while an engine's may. */
    private void write(ToolCallDelta piece) {
      if (!piece.name().isEmpty()) {
        send(shape.callBegins(index, piece.index(), piece.id(), piece.name()));
      }
      if (!piece.arguments().isEmpty()) {
        send(shape.callGoesOn(index, piece.index(), piece.arguments()));
      }
    }
  }

  /**
   * @param node empty where it is not known yet, and cannot be told any more
   */
  private void begin(String node) {
    if (open) {
      return;
    }
    open = true;
    ResponseHeadersBuilder headers =
        ResponseHeaders.builder(HttpStatus.OK)
            .add("content-type", "text/event-stream; charset=utf-8")
            .add("cache-control", "no-cache")
            // Proxies such as nginx would hold events back.
            .add("x-accel-buffering", "no");
    if (!node.isEmpty()) {
      headers.add(CompletionEndpoint.NODE_HEADER, node);
    }
    // Not write: it throws when the caller has gone already.
    var _ = response.tryWrite(headers.build());
  }

  private void finish(Usage usage) {
    usages.add(usage);
    if (usages.size() < asked.choices()) {
      return;
    }
    if (asked.includeUsage()) {
      send(shape.usage(usages));
    }
    send(DONE);
    response.close();
  }

  private void fail(OpenAiError error) {
    if (open) {
      send(error.body());
    } else {
      error.write(response);
    }
    response.close();
  }

  private void send(byte @Nullable [] json) {
    if (json == null) {
      return;
    }
    byte[] event = new byte[DATA.length + json.length + 2];
    System.arraycopy(DATA, 0, event, 0, DATA.length);
    System.arraycopy(json, 0, event, DATA.length, json.length);
    event[event.length - 2] = '\n';
    event[event.length - 1] = '\n';
    write(event);
  }

  private void write(byte[] event) {
    if (unreadBytes.addAndGet(event.length) > MOST_UNREAD_BYTES) {
      // Not close: it would wait for the caller to read what piled up.
      response.abort(new CompletionEndpoint.SlowReaderException());
    } else if (response.tryWrite(HttpData.wrap(event))) {
      var _ = response.whenConsumed().thenRun(() -> unreadBytes.addAndGet(-event.length));
    }
  }
}
