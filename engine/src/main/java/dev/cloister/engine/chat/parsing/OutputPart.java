package dev.cloister.engine.chat.parsing;

/** A part of an answer, in the order written. */
public sealed interface OutputPart {

  /** Text for the user; follows on the one before. */
  record Content(String text) implements OutputPart {

    /** Says how long the text is. */
    @Override
    public String toString() {
      return "Content[%d characters]".formatted(text.length());
    }
  }

  /** What the model thought before its answer; follows on the one before. */
  record Reasoning(String text) implements OutputPart {

    /** Says how long the text is. */
    @Override
    public String toString() {
      return "Reasoning[%d characters]".formatted(text.length());
    }
  }

  /**
   * A whole call of a tool the request offers.
   *
   * @param index counts the calls of an answer from 0
   * @param name the tool's
   * @param arguments a JSON object, character for character as the model wrote it
   */
  record ToolCall(int index, String name, String arguments) implements OutputPart {

    /** Says which tool it is, and how long its arguments are. */
    @Override
    public String toString() {
      return "ToolCall[%d, %s, %d characters]".formatted(index, name, arguments.length());
    }
  }
}
