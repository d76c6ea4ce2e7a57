package dev.cloister.coordinator.inference;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * One step of an answer: at most one {@link Started}, any number of pieces, and at the end exactly
 * one {@link Finished} or {@link Failed}.
 */
public sealed interface GenerationEvent {

  /** How many bytes of UTF-8 of the answer it tells. */
  default int bytes() {
    return switch (this) {
      case TextDelta delta -> utf8Bytes(delta.text());
      case ReasoningDelta delta -> utf8Bytes(delta.text());
      case ToolCallDelta delta -> utf8Bytes(delta.name()) + utf8Bytes(delta.arguments());
      case Started _, Finished _, Failed _ -> 0;
    };
  }

  private static int utf8Bytes(String text) {
    int bytes = text.length();
    for (int i = 0; i < text.length(); i++) {
      char unit = text.charAt(i);
      if (unit >= 0x80) {
        bytes += unit < 0x800 || Character.isSurrogate(unit) ? 1 : 2;
      }
    }
    return bytes;
  }

  /**
   * An engine accepted the prompt.
   *
   * @param promptTokens tokens of the rendered prompt
   * @param cachedPromptTokens those of them that need no computing
   * @param node name of the node that answers
   */
  record Started(int promptTokens, int cachedPromptTokens, String node)
      implements GenerationEvent {}

  /**
   * The next piece of the answer.
   *
   * @param text whole characters; empty only where logprobs stand for a token without text
   * @param logprobs the tokens of this piece, where they were asked for
   */
  record TextDelta(String text, List<TokenLogprob> logprobs) implements GenerationEvent {
    public TextDelta {
      logprobs = List.copyOf(logprobs);
    }

    /** Without probabilities. */
    public TextDelta(String text) {
      this(text, List.of());
    }

    /** Without the text: this may reach a log. */
    @Override
    public String toString() {
      return "TextDelta[" + text.length() + " characters]";
    }
  }

  /** The next piece of what the model thinks before it answers. */
  record ReasoningDelta(String text) implements GenerationEvent {
    /** Without the text: this may reach a log. */
    @Override
    public String toString() {
      return "ReasoningDelta[" + text.length() + " characters]";
    }
  }

  /**
   * The next piece of a tool call.
   *
   * @param index counts the calls of an answer from 0
   * @param id empty after the first piece of a call
   * @param name of the tool; empty after the first piece
   * @param arguments appended to what came before: a piece of a JSON object
   */
  record ToolCallDelta(int index, String id, String name, String arguments)
      implements GenerationEvent {
    /** Without the arguments: this may reach a log. */
    @Override
    public String toString() {
      return "ToolCallDelta[" + index + ", " + arguments.length() + " characters]";
    }
  }

  /** The answer is complete. */
  record Finished(FinishReason reason, Usage usage) implements GenerationEvent {}

  /**
   * There is no answer, or no more of it.
   *
   * @param message one sentence for the caller
   * @param parameter of the request that is wrong, {@code prompt} or by its name in the OpenAI API;
   *     empty if that is not known, or none is
   * @param retryAfter when a repetition may succeed; empty if that is not known
   */
  record Failed(
      FailureCode code, String message, Optional<String> parameter, Optional<Duration> retryAfter)
      implements GenerationEvent {
    public Failed(FailureCode code, String message) {
      this(code, message, Optional.empty(), Optional.empty());
    }

    /** One that a later repetition may not see. */
    public Failed(FailureCode code, String message, Duration retryAfter) {
      this(code, message, Optional.empty(), Optional.of(retryAfter));
    }

    /** A request that is wrong. */
    public static Failed invalid(String parameter, String message) {
      return new Failed(
          FailureCode.INVALID_REQUEST, message, Optional.of(parameter), Optional.empty());
    }
  }

  /** Why an answer ended. */
  enum FinishReason {
    /** The model ended it, or a stop sequence came up. */
    STOP,
    /** The token limit or the end of the context was reached. */
    LENGTH,
    /** The model called tools and waits for what they say. */
    TOOL_CALLS,
    /** The caller went away. */
    CANCELLED
  }

  /**
   * Tokens read and written.
   *
   * @param cachedPromptTokens those of the prompt that needed no computing
   */
  record Usage(int promptTokens, int cachedPromptTokens, int completionTokens) {}

  /** What kind of failure it was: it decides the status the caller sees and whether to retry. */
  enum FailureCode {
    INVALID_REQUEST,
    CONTEXT_LENGTH_EXCEEDED,
    MODEL_NOT_FOUND,
    /** A rule forbids every node of the cluster to answer. */
    NOT_ALLOWED,
    /** No node can answer now; a later repetition may succeed. */
    NO_CAPACITY,
    /** The caller itself has too much waiting; a later repetition may succeed. */
    TOO_MANY_REQUESTS,
    /** The node or its engine was lost while answering. */
    NODE_LOST,
    /** The engine failed, on this request at least. */
    INTERNAL;

    /** Whether a node did not do what it was asked to. */
    public boolean isOfNode() {
      return this == NODE_LOST || this == INTERNAL;
    }
  }
}
