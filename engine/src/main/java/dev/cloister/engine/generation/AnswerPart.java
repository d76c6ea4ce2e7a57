package dev.cloister.engine.generation;

import java.util.List;

/** The next piece of an answer. The text forms name lengths, never content. */
public sealed interface AnswerPart {

  /**
   * What the caller reads.
   *
   * @param text whole characters; empty only where logprobs stand for a token without text
   * @param logprobs the tokens of this piece, where they were asked for
   */
  record Text(String text, List<TokenLogprob> logprobs) implements AnswerPart {
    public Text {
      logprobs = List.copyOf(logprobs);
    }

    /** Without probabilities. */
    public Text(String text) {
      this(text, List.of());
    }

    @Override
    public String toString() {
      return "Text[length=" + text.length() + "]";
    }
  }

  /** What the model thinks before it answers. */
  record Reasoning(String text) implements AnswerPart {
    @Override
    public String toString() {
      return "Reasoning[length=" + text.length() + "]";
    }
  }

  /**
   * A piece of a tool call.
   *
   * @param index counts the calls of an answer from 0
   * @param id unique in the answer; empty after the first piece of a call
   * @param name of the tool; empty after the first piece
   * @param arguments to be appended to what came before
   */
  record ToolCallPiece(int index, String id, String name, String arguments) implements AnswerPart {
    @Override
    public String toString() {
      return "ToolCallPiece[index=%d, length=%d]".formatted(index, arguments.length());
    }
  }
}
