package dev.cloister.client;

import dev.cloister.client.CloisterException.Kind;
import dev.cloister.proto.inference.v1.Failure;
import dev.cloister.proto.inference.v1.Finished;
import dev.cloister.proto.inference.v1.GenerationEvent;
import dev.cloister.proto.inference.v1.TextDelta;
import dev.cloister.proto.inference.v1.ToolCallDelta;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The text of an answer as it is made, piece by piece; each piece is made of whole characters. What
 * the model thinks, the tools it calls and probabilities are in the whole that {@link #complete}
 * returns. Closing it before its end stops the work on the node. A failure is told again whenever
 * more is asked for. Not thread-safe, except for {@link #close}.
 */
public final class ChatStream implements Iterator<String>, AutoCloseable {
  private final Context.CancellableContext call;
  private final Iterator<GenerationEvent> events;
  private final StringBuilder text = new StringBuilder();
  private final StringBuilder reasoning = new StringBuilder();
  private final List<TokenLogprob> logprobs = new ArrayList<>();
  private final TreeMap<Integer, ToolCallDelta.Builder> calls = new TreeMap<>();
  private String node = "";
  private @Nullable String piece;
  private @Nullable Finished finished;
  private @Nullable CloisterException failed;

  ChatStream(Function<Context, Iterator<GenerationEvent>> start) {
    call = Context.current().withCancellation();
    events = start.apply(call);
  }

  /**
   * Waits for the next piece.
   *
   * @throws CloisterException if there is no answer, or no more of it
   */
  @Override
  public boolean hasNext() {
    try {
      return read();
    } catch (StatusRuntimeException e) {
      failed =
          e.getStatus().getCode() == Status.Code.DEADLINE_EXCEEDED
              ? new CloisterException(
                  Kind.TIMED_OUT,
                  "the answer was not complete within the time that its request allows; allow more,"
                      + " or send it again",
                  e)
              : Failures.of(e);
    } catch (CloisterException e) {
      failed = e;
    }
    throw failed;
  }

  private boolean read() {
    if (failed != null) {
      throw failed;
    }
    while (piece == null && finished == null) {
      if (!events.hasNext()) {
        throw new CloisterException(Kind.INTERNAL, "the answer has no end", null);
      }
      take(events.next());
    }
    return piece != null;
  }

  private void take(GenerationEvent event) {
    switch (event.getEventCase()) {
      case STARTED -> node = event.getStarted().getNode();
      case TEXT -> take(event.getText());
      case REASONING -> reasoning.append(event.getReasoning().getText());
      case TOOL_CALL -> take(event.getToolCall());
      case FINISHED -> finished = event.getFinished();
      case FAILED -> throw failure(event.getFailed());
      case EVENT_NOT_SET -> {}
    }
  }

  private void take(TextDelta delta) {
    text.append(delta.getText());
    delta.getLogprobsList().forEach(logprob -> logprobs.add(Wire.fromWire(logprob)));
    // A token without text of its own is no piece.
    if (!delta.getText().isEmpty()) {
      piece = delta.getText();
    }
  }

  private void take(ToolCallDelta delta) {
    ToolCallDelta.Builder call =
        calls.computeIfAbsent(delta.getIndex(), index -> ToolCallDelta.newBuilder());
    if (!delta.getName().isEmpty()) {
      call.setId(delta.getId()).setName(delta.getName());
    }
    call.setArguments(call.getArguments() + delta.getArguments());
  }

  @Override
  public String next() {
    if (!hasNext()) {
      throw new NoSuchElementException("the answer is complete");
    }
    String next = Objects.requireNonNull(piece);
    piece = null;
    return next;
  }

  /**
   * Reads on to the end and returns the whole answer.
   *
   * @throws CloisterException as {@link #hasNext}
   */
  public ChatResponse complete() {
    while (hasNext()) {
      next();
    }
    Finished end = Objects.requireNonNull(finished);
    return new ChatResponse(
        text.toString(),
        reasoning.toString(),
        calls.values().stream()
            .map(call -> new Tool.Call(call.getId(), call.getName(), call.getArguments()))
            .toList(),
        logprobs,
        switch (end.getReason()) {
          case REASON_LENGTH -> ChatResponse.End.LENGTH;
          case REASON_TOOL_CALLS -> ChatResponse.End.TOOL_CALLS;
          case REASON_STOP, REASON_CANCELLED, REASON_UNSPECIFIED, UNRECOGNIZED ->
              ChatResponse.End.STOP;
        },
        end.getUsage().getPromptTokens(),
        end.getUsage().getCachedPromptTokens(),
        end.getUsage().getCompletionTokens(),
        node);
  }

  private static CloisterException failure(Failure failure) {
    Kind kind =
        switch (failure.getCode()) {
          case CODE_INVALID_REQUEST, CODE_CONTEXT_LENGTH_EXCEEDED -> Kind.INVALID_REQUEST;
          case CODE_MODEL_NOT_FOUND -> Kind.NOT_FOUND;
          case CODE_NOT_ALLOWED -> Kind.NOT_ALLOWED;
          case CODE_NO_CAPACITY -> Kind.NO_CAPACITY;
          case CODE_NODE_LOST -> Kind.NODE_LOST;
          case CODE_INTERNAL, CODE_UNSPECIFIED, UNRECOGNIZED -> Kind.INTERNAL;
        };
    return new CloisterException(kind, failure.getMessage(), null);
  }

  /** Stops the work, if it is not over. */
  @Override
  public void close() {
    call.cancel(null);
  }
}
