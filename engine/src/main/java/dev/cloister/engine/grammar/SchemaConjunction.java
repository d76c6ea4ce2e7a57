package dev.cloister.engine.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.util.Map;

/**
 * The one schema that asks for what two ask for: {@code allOf}, and keywords beside a reference.
 */
final class SchemaConjunction {

  private SchemaConjunction() {}

  /** Neither argument is changed. */
  static ObjectNode of(ObjectNode one, ObjectNode other, String pointer) {
    refuseClosed(one, other, pointer);
    refuseClosed(other, one, pointer);
    ObjectNode both = JsonNodeFactory.instance.objectNode();
    both.setAll(one);
    for (Map.Entry<String, JsonNode> entry : other.properties()) {
      String keyword = entry.getKey();
      JsonNode added = entry.getValue();
      JsonNode present = both.get(keyword);
      both.set(
          keyword,
          present == null || present.equals(added)
              ? added
              : combined(keyword, present, added, pointer));
    }
    return both;
  }

  private static JsonNode combined(
      String keyword, JsonNode present, JsonNode added, String pointer) {
    return switch (keyword) {
      case "properties" -> properties(present, added, pointer);
      case "required" -> union(present, added);
      case "enum" -> shared(present, added, keyword, pointer);
      case "type" -> types(present, added, pointer);
      case "minimum", "exclusiveMinimum", "minLength", "minItems" ->
          decimal(present, pointer).compareTo(decimal(added, pointer)) >= 0 ? present : added;
      case "maximum", "exclusiveMaximum", "maxLength", "maxItems" ->
          decimal(present, pointer).compareTo(decimal(added, pointer)) <= 0 ? present : added;
      case "items", "additionalProperties" -> both(present, added);
      default -> {
        if (SchemaConverter.isAnnotation(keyword)) {
          yield present;
        }
        throw new SchemaConverter.Problem(
            pointer,
            "two parts that must both hold differ in \"%s\"; write it once".formatted(keyword));
      }
    };
  }

  private static JsonNode properties(JsonNode present, JsonNode added, String pointer) {
    if (!(present instanceof ObjectNode known) || !added.isObject()) {
      throw new SchemaConverter.Problem(pointer, "\"properties\" must be an object");
    }
    ObjectNode both = JsonNodeFactory.instance.objectNode();
    both.setAll(known);
    added
        .properties()
        .forEach(
            entry -> {
              JsonNode before = both.get(entry.getKey());
              both.set(
                  entry.getKey(),
                  before == null ? entry.getValue() : both(before, entry.getValue()));
            });
    return both;
  }

  private static JsonNode both(JsonNode present, JsonNode added) {
    if (present.isBoolean()) {
      return present.booleanValue() ? added : present;
    }
    if (added.isBoolean()) {
      return added.booleanValue() ? present : added;
    }
    ObjectNode both = JsonNodeFactory.instance.objectNode();
    both.putArray("allOf").add(present).add(added);
    return both;
  }

  private static JsonNode union(JsonNode present, JsonNode added) {
    ArrayNode union = JsonNodeFactory.instance.arrayNode();
    present.forEach(union::add);
    for (JsonNode element : added) {
      if (!contains(present, element)) {
        union.add(element);
      }
    }
    return union;
  }

  private static JsonNode types(JsonNode present, JsonNode added, String pointer) {
    JsonNode one = asArray(present);
    JsonNode other = asArray(added);
    ArrayNode shared = JsonNodeFactory.instance.arrayNode();
    for (JsonNode type : one) {
      boolean narrowed = type.asText().equals("number") && hasText(other, "integer");
      if (contains(other, type) || (type.asText().equals("integer") && hasText(other, "number"))) {
        shared.add(type);
      } else if (narrowed) {
        shared.add("integer");
      }
    }
    return nonEmpty(shared, "type", pointer);
  }

  private static JsonNode shared(JsonNode present, JsonNode added, String keyword, String pointer) {
    ArrayNode shared = JsonNodeFactory.instance.arrayNode();
    for (JsonNode element : present) {
      if (contains(added, element)) {
        shared.add(element);
      }
    }
    return nonEmpty(shared, keyword, pointer);
  }

  private static JsonNode nonEmpty(ArrayNode shared, String keyword, String pointer) {
    if (shared.isEmpty()) {
      throw new SchemaConverter.Problem(
          pointer,
          "two parts that must both hold have no \"%s\" in common, so that nothing fits"
              .formatted(keyword));
    }
    return shared;
  }

  /** An object closed in one part forbids what the other part adds. */
  private static void refuseClosed(ObjectNode closed, ObjectNode other, String pointer) {
    JsonNode additional = closed.get("additionalProperties");
    if (additional == null || !additional.isBoolean() || additional.booleanValue()) {
      return;
    }
    for (Map.Entry<String, JsonNode> entry : other.path("properties").properties()) {
      if (!closed.path("properties").has(entry.getKey())) {
        throw new SchemaConverter.Problem(
            pointer,
            "\"additionalProperties\": false in one part forbids property \"%s\" of another"
                .formatted(entry.getKey()));
      }
    }
  }

  private static BigDecimal decimal(JsonNode number, String pointer) {
    if (!number.isNumber()) {
      throw new SchemaConverter.Problem(pointer, "a limit must be a number");
    }
    return number.decimalValue();
  }

  private static JsonNode asArray(JsonNode type) {
    return type.isArray() ? type : JsonNodeFactory.instance.arrayNode().add(type);
  }

  private static boolean contains(JsonNode array, JsonNode element) {
    for (JsonNode candidate : array) {
      if (candidate.equals(element)) {
        return true;
      }
    }
    return false;
  }

  private static boolean hasText(JsonNode array, String text) {
    return contains(array, JsonNodeFactory.instance.textNode(text));
  }
}
