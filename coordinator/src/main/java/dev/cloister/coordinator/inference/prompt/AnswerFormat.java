package dev.cloister.coordinator.inference.prompt;

import dev.cloister.coordinator.inference.InvalidGenerationException;

/** What an answer must look like. */
public sealed interface AnswerFormat {

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
      return "JsonSchema[" + schema.length() + " characters]";
    }
  }

  /**
   * Text that a grammar describes.
   *
   * @param gbnf in llama.cpp's notation; not empty
   */
  record Grammar(String gbnf) implements AnswerFormat {
    public Grammar {
      if (gbnf.isBlank()) {
        throw new InvalidGenerationException("grammar", "grammar is empty");
      }
    }

    @Override
    public String toString() {
      return "Grammar[" + gbnf.length() + " characters]";
    }
  }
}
