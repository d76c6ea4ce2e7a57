package dev.cloister.coordinator.inference;

/**
 * One step of an answer: at most one {@link Started}, any number of {@link TextDelta}s, and at the
 * end exactly one {@link Finished} or {@link Failed}.
 */
public sealed interface GenerationEvent {

  /**
   * An engine accepted the prompt.
   *
   * @param promptTokens tokens of the rendered prompt
   * @param node name of the node that answers
   */
  record Started(int promptTokens, String node) implements GenerationEvent {}

  /** The next piece of the answer, in whole characters. */
  record TextDelta(String text) implements GenerationEvent {
    /** Without the text: this may reach a log. */
    @Override
    public String toString() {
      return "TextDelta[" + text.length() + " characters]";
    }
  }

  /** The answer is complete. */
  record Finished(FinishReason reason, Usage usage) implements GenerationEvent {}

  /**
   * There is no answer, or no more of it.
   *
   * @param message one sentence for the caller
   */
  record Failed(FailureCode code, String message) implements GenerationEvent {}

  /** Why an answer ended. */
  enum FinishReason {
    /** The model ended it, or a stop sequence came up. */
    STOP,
    /** The token limit or the end of the context was reached. */
    LENGTH,
    /** The caller went away. */
    CANCELLED
  }

  /** Tokens read and written. */
  record Usage(int promptTokens, int completionTokens) {}

  /** What kind of failure it was: it decides the status the caller sees and whether to retry. */
  enum FailureCode {
    INVALID_REQUEST,
    CONTEXT_LENGTH_EXCEEDED,
    MODEL_NOT_FOUND,
    /** No node can answer now; a later repetition may succeed. */
    NO_CAPACITY,
    /** The node or its engine was lost while answering. */
    NODE_LOST,
    INTERNAL
  }
}
