package dev.cloister.engine.generation.prompt;

/** What an answer must look like. */
public sealed interface AnswerFormat {

  /** The parameter that says it, by its name in OpenAI's API, or in llama.cpp's server. */
  default String parameter() {
    return this instanceof Grammar ? "grammar" : "response_format";
  }

  /** Free text. */
  record Text() implements AnswerFormat {}

  /** Any JSON object. */
  record JsonObject() implements AnswerFormat {}

  /**
   * JSON that a schema describes.
   *
   * @param schema a JSON Schema
   */
  record JsonSchema(String schema) implements AnswerFormat {
    @Override
    public String toString() {
      return "JsonSchema[length=" + schema.length() + "]";
    }
  }

  /**
   * Text that a grammar describes.
   *
   * @param gbnf in llama.cpp's notation
   */
  record Grammar(String gbnf) implements AnswerFormat {
    @Override
    public String toString() {
      return "Grammar[length=" + gbnf.length() + "]";
    }
  }
}
