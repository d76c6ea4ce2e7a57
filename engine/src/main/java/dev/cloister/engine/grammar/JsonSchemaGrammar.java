package dev.cloister.engine.grammar;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;

/**
 * Grammars for JSON: any object, or what a JSON Schema (draft 2020-12, and what older drafts and
 * OpenAPI wrote differently) describes. Follows the ideas of llama.cpp's {@code
 * json-schema-to-grammar.cpp}.
 *
 * <p>Whatever a grammar lets through fits the schema; not everything that fits gets through: keys
 * come in the schema's order, further properties last and only where {@code additionalProperties}
 * says so (or no {@code properties} are declared), tuples whole, and no number has more than 16
 * digits before its point. {@code oneOf} is read as {@code anyOf}, formats other than {@code date},
 * {@code time}, {@code date-time} and {@code uuid} as notes. What cannot be enforced is refused, by
 * an {@link IllegalArgumentException} whose sentence names the place as a JSON pointer.
 * Thread-safe.
 */
public final class JsonSchemaGrammar {

  private static final JsonMapper MAPPER =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

  private JsonSchemaGrammar() {}

  /** Any JSON object. */
  public static Grammar anyObject() {
    RuleBook book = new RuleBook();
    return book.grammar(new JsonRules(book).object());
  }

  /**
   * What a schema describes.
   *
   * @param schema the schema as JSON
   * @throws IllegalArgumentException a sentence that says where the schema is wrong, not supported
   *     or too large
   */
  public static Grammar of(String schema) {
    RuleBook book = new RuleBook();
    return book.grammar(new SchemaConverter(document(schema), new JsonRules(book)).convert());
  }

  /** Writes the rules of a tool's parameters, which are an object; returns the first one's name. */
  static String arguments(String schema, JsonRules json) {
    JsonNode document = document(schema);
    JsonNode type = document.path("type");
    if (document.isObject() && document.isEmpty()) {
      return json.object();
    }
    if (!type.isMissingNode() && !type.asText().equals("object")) {
      throw new SchemaConverter.Problem("#", "\"type\" must be object, as arguments have names");
    }
    return new SchemaConverter(document, json).convert();
  }

  private static JsonNode document(String schema) {
    if (schema.length() > Grammar.MAX_LENGTH) {
      throw new IllegalArgumentException(
          "schema is %d characters long (expected: at most %d); make it smaller"
              .formatted(schema.length(), Grammar.MAX_LENGTH));
    }
    try {
      return MAPPER.readTree(schema);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(
          "schema is not JSON (line %d, column %d)"
              .formatted(e.getLocation().getLineNr(), e.getLocation().getColumnNr()),
          e);
    }
  }
}
