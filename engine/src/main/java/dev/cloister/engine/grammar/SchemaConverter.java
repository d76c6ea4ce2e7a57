package dev.cloister.engine.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Writes the rules of one JSON Schema into a rule book. */
final class SchemaConverter {

  private static final int MAX_DEPTH = 64;
  private static final int MAX_SCHEMAS = 10_000;

  private static final Set<String> ANNOTATIONS =
      Set.of(
          "title",
          "description",
          "default",
          "examples",
          "example",
          "deprecated",
          "readOnly",
          "writeOnly",
          "$schema",
          "$id",
          "$comment",
          "$anchor",
          "$defs",
          "definitions",
          "strict");

  /** Keywords that forbid something which the grammar would let through. */
  private static final Set<String> UNSUPPORTED =
      Set.of(
          "not",
          "if",
          "then",
          "else",
          "patternProperties",
          "propertyNames",
          "minProperties",
          "maxProperties",
          "dependentRequired",
          "dependentSchemas",
          "dependencies",
          "contains",
          "minContains",
          "maxContains",
          "unevaluatedItems",
          "unevaluatedProperties",
          "multipleOf",
          "$dynamicRef",
          "$recursiveRef");

  private static final Map<String, List<String>> KEYWORDS_BY_TYPE =
      Map.of(
          "object", List.of("properties", "required", "additionalProperties"),
          "array", List.of("items", "prefixItems", "minItems", "maxItems", "additionalItems"),
          "string", List.of("minLength", "maxLength", "pattern", "format"),
          "number", TypeRules.NUMBER_KEYWORDS);

  private final JsonNode document;
  private final JsonRules json;
  private final RuleBook book;
  private final Map<String, String> references = new HashMap<>();
  private int schemas;

  /** What keeps a schema from becoming a grammar, with the place as a JSON pointer. */
  static final class Problem extends IllegalArgumentException {

    private static final long serialVersionUID = 1L;

    /**
     * Makes the sentence.
     *
     * @param pointer where in the schema, {@code #} for the whole of it
     * @param what the rest of the sentence
     */
    Problem(String pointer, String what) {
      super("schema at %s: %s".formatted(pointer, what));
    }

    /** Puts the place before what was found wrong without knowing it. */
    Problem(String pointer, IllegalArgumentException found) {
      super("schema at %s: %s".formatted(pointer, found.getMessage()), found);
    }
  }

  /**
   * Makes a converter for one document.
   *
   * @param document what references point into
   */
  SchemaConverter(JsonNode document, JsonRules json) {
    this.document = document;
    this.json = json;
    this.book = json.book();
  }

  static boolean isAnnotation(String keyword) {
    return ANNOTATIONS.contains(keyword);
  }

  /** The rule of the whole document. */
  String convert() {
    return reference("#", "#", 0);
  }

  private String rule(JsonNode schema, String pointer, int depth) {
    if (depth > MAX_DEPTH) {
      throw new Problem(pointer, "nested deeper than %d schemas".formatted(MAX_DEPTH));
    }
    if (++schemas > MAX_SCHEMAS) {
      throw new Problem(pointer, "more than %d schemas in all".formatted(MAX_SCHEMAS));
    }
    if (schema.isBoolean() && schema.booleanValue()) {
      return json.value();
    }
    if (!(schema instanceof ObjectNode object)) {
      throw new Problem(
          pointer, "nothing fits this (expected: an object that says what does, or true)");
    }
    refuseUnsupported(object, pointer);
    if (object.has("$ref")) {
      ObjectNode beside = without(object, "$ref");
      String target = object.path("$ref").asText();
      return asksForMore(beside)
          ? rule(
              SchemaConjunction.of(beside, resolved(target, pointer), pointer), pointer, depth + 1)
          : reference(target, pointer, depth);
    }
    if (object.has("allOf")) {
      ObjectNode all = without(object, "allOf");
      for (JsonNode part : array(object, "allOf", pointer)) {
        if (!part.isBoolean() || !part.booleanValue()) {
          all = SchemaConjunction.of(all, plain(part, pointer), pointer);
        }
      }
      return rule(all, pointer, depth + 1);
    }
    for (String keyword : List.of("anyOf", "oneOf")) {
      if (object.has(keyword)) {
        return anyOf(object, keyword, pointer, depth);
      }
    }
    String rule = valueRule(object, pointer, depth);
    return object.path("nullable").asBoolean()
        ? union(pointer, List.of(rule, json.nothing()))
        : rule;
  }

  private String valueRule(ObjectNode object, String pointer, int depth) {
    Set<String> types = types(object, pointer);
    if (object.has("const")) {
      return constants(List.of(object.path("const")), types, pointer);
    }
    if (object.has("enum")) {
      List<JsonNode> values = new ArrayList<>();
      array(object, "enum", pointer).forEach(values::add);
      return constants(values, types, pointer);
    }
    if (types.isEmpty()) {
      return json.value();
    }
    TypeRules typeRule = new TypeRules(json, (inner, place) -> rule(inner, place, depth + 1));
    List<String> rules = new ArrayList<>();
    for (String type : types) {
      rules.add(typeRule.rule(type, object, pointer));
    }
    return union(pointer, rules);
  }

  private void refuseUnsupported(ObjectNode schema, String pointer) {
    for (String keyword : UNSUPPORTED) {
      if (schema.has(keyword)) {
        throw new Problem(
            pointer,
            "\"%s\" is not supported; leave it out and check the answer for it".formatted(keyword));
      }
    }
    if (schema.path("uniqueItems").asBoolean()) {
      throw new Problem(
          pointer, "\"uniqueItems\" is not supported; leave it out and check the answer for it");
    }
  }

  private boolean asksForMore(ObjectNode schema) {
    for (var entry : schema.properties()) {
      if (!isAnnotation(entry.getKey())) {
        return true;
      }
    }
    return false;
  }

  private static ObjectNode without(ObjectNode schema, String keyword) {
    ObjectNode rest = JsonNodeFactory.instance.objectNode();
    rest.setAll(schema);
    rest.remove(keyword);
    return rest;
  }

  private String reference(String target, String pointer, int depth) {
    String known = references.get(target);
    if (known != null) {
      return known;
    }
    JsonNode schema = target(target, pointer);
    String name = book.reserve(target.equals("#") ? "schema" : hint(target));
    references.put(target, name);
    book.complete(name, rule(schema, target, depth + 1));
    return name;
  }

  private ObjectNode plain(JsonNode part, String pointer) {
    if (!(part instanceof ObjectNode object)) {
      throw new Problem(pointer, "a part that must hold fits nothing");
    }
    refuseUnsupported(object, pointer);
    return object.has("$ref")
        ? SchemaConjunction.of(
            without(object, "$ref"), resolved(object.path("$ref").asText(), pointer), pointer)
        : object;
  }

  private String anyOf(ObjectNode schema, String keyword, String pointer, int depth) {
    ObjectNode base = without(schema, keyword);
    boolean more = asksForMore(base);
    List<String> rules = new ArrayList<>();
    int index = 0;
    for (JsonNode alternative : array(schema, keyword, pointer)) {
      String place = pointer + "/" + keyword + "/" + index++;
      JsonNode both =
          more && !alternative.isBoolean()
              ? SchemaConjunction.of(base, plain(alternative, place), place)
              : alternative.isBoolean() && alternative.booleanValue() ? base : alternative;
      rules.add(rule(both, place, depth + 1));
    }
    return union(pointer, rules);
  }

  private String union(String pointer, List<String> rules) {
    Set<String> different = new LinkedHashSet<>(rules);
    return different.size() == 1
        ? rules.getFirst()
        : book.define(hint(pointer), String.join(" | ", different));
  }

  private String constants(List<JsonNode> values, Set<String> types, String pointer) {
    List<String> rules = new ArrayList<>();
    for (JsonNode value : values) {
      if (types.isEmpty() || types.stream().anyMatch(type -> isOfType(value, type))) {
        rules.add(book.define(hint(pointer) + "-value", json.constant(value)));
      }
    }
    if (rules.isEmpty()) {
      throw new Problem(pointer, "no value is of the \"type\" asked for, so that nothing fits");
    }
    return union(pointer, rules);
  }

  private static boolean isOfType(JsonNode value, String type) {
    return switch (type) {
      case "object" -> value.isObject();
      case "array" -> value.isArray();
      case "string" -> value.isTextual();
      case "number" -> value.isNumber();
      case "integer" -> value.isNumber() && value.decimalValue().stripTrailingZeros().scale() <= 0;
      case "boolean" -> value.isBoolean();
      default -> value.isNull();
    };
  }

  private Set<String> types(ObjectNode schema, String pointer) {
    JsonNode type = schema.get("type");
    Set<String> types = new LinkedHashSet<>();
    if (type == null) {
      KEYWORDS_BY_TYPE.forEach(
          (name, keywords) -> {
            if (keywords.stream().anyMatch(schema::has)) {
              types.add(name);
            }
          });
      if (types.size() > 1) {
        throw new Problem(pointer, "keywords of several types, but no \"type\"; add it");
      }
    } else if (type.isTextual()) {
      types.add(type.asText());
    } else if (type.isArray()) {
      array(schema, "type", pointer).forEach(name -> types.add(name.asText()));
    } else {
      throw new Problem(pointer, "\"type\" must be a name or an array of names");
    }
    if (types.contains("number")) {
      types.remove("integer");
    }
    return types;
  }

  /** What a reference leads to when all it stands behind is followed. */
  private ObjectNode resolved(String target, String pointer) {
    Set<String> seen = new HashSet<>();
    ObjectNode schema = null;
    String next = target;
    while (schema == null || schema.has("$ref")) {
      if (!seen.add(next)) {
        throw new Problem(pointer, "\"$ref\" leads back to itself");
      }
      if (!(target(next, pointer) instanceof ObjectNode found)) {
        throw new Problem(pointer, "\"$ref\" must lead to an object here");
      }
      schema =
          schema == null ? found : SchemaConjunction.of(without(schema, "$ref"), found, pointer);
      next = schema.path("$ref").asText();
    }
    return schema;
  }

  private JsonNode target(String target, String pointer) {
    if (!target.equals("#") && !target.startsWith("#/")) {
      throw new Problem(
          pointer, "\"$ref\" must point into the schema itself, as #/$defs/name does");
    }
    try {
      String path =
          URLDecoder.decode(target.substring(1).replace("+", "%2B"), StandardCharsets.UTF_8);
      JsonNode found = document.at(path);
      if (!found.isMissingNode()) {
        return found;
      }
    } catch (IllegalArgumentException e) {
      throw new Problem(pointer, "\"$ref\" is not a JSON pointer behind #");
    }
    throw new Problem(pointer, "\"$ref\" leads to nothing (%s)".formatted(target));
  }

  private static JsonNode array(ObjectNode schema, String keyword, String pointer) {
    JsonNode array = schema.path(keyword);
    if (!array.isArray() || array.isEmpty()) {
      throw new Problem(pointer, "\"%s\" must be an array that is not empty".formatted(keyword));
    }
    return array;
  }

  /** The last name in a pointer. */
  static String hint(String pointer) {
    return pointer.equals("#") ? "schema" : pointer.substring(pointer.lastIndexOf('/') + 1);
  }
}
