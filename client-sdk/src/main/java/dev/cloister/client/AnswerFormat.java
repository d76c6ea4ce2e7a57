package dev.cloister.client;

/** What an answer must look like. The model cannot but follow it. */
public sealed interface AnswerFormat {

  /** Free text. */
  record Text() implements AnswerFormat {}

  /** Any JSON object. */
  record Json() implements AnswerFormat {}

  /**
   * JSON that a schema describes.
   *
   * @param schema a JSON Schema
   */
  record JsonSchema(String schema) implements AnswerFormat {}

  /**
   * Text that a grammar describes.
   *
   * @param gbnf in llama.cpp's notation, for example {@code root ::= "yes" | "no"}
   */
  record Grammar(String gbnf) implements AnswerFormat {}

  /** Free text. */
  static AnswerFormat text() {
    return new Text();
  }

  /** Any JSON object. */
  static AnswerFormat json() {
    return new Json();
  }

  /** JSON that a JSON Schema describes. */
  static AnswerFormat jsonSchema(String schema) {
    return new JsonSchema(schema);
  }

  /** Text that a grammar in llama.cpp's notation describes. */
  static AnswerFormat grammar(String gbnf) {
    return new Grammar(gbnf);
  }
}
