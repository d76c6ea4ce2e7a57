package dev.cloister.engine.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeType;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The rules of a schema of one type: its own keywords, without those that combine schemas. */
final class TypeRules {

  static final List<String> TYPES =
      List.of("object", "array", "string", "number", "integer", "boolean", "null");

  static final List<String> NUMBER_KEYWORDS =
      List.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum");

  /** Writes the rule of a schema inside this one, and returns its name. */
  interface Inner {
    String rule(JsonNode schema, String pointer);
  }

  private final JsonRules json;
  private final RuleBook book;
  private final Inner inner;

  TypeRules(JsonRules json, Inner inner) {
    this.json = json;
    this.book = json.book();
    this.inner = inner;
  }

  /** The rule for values of one type. */
  String rule(String type, ObjectNode schema, String pointer) {
    return switch (type) {
      case "object" -> object(schema, pointer);
      case "array" -> array(schema, pointer);
      case "string" -> string(schema, pointer);
      case "number" -> number(schema, pointer, false);
      case "integer" -> number(schema, pointer, true);
      case "boolean" -> json.bool();
      case "null" -> json.nothing();
      default ->
          throw new SchemaConverter.Problem(
              pointer, "unknown \"type\" (expected: %s)".formatted(String.join(", ", TYPES)));
    };
  }

  private String object(ObjectNode schema, String pointer) {
    JsonNode declared = formed(schema, "properties", pointer, JsonNodeType.OBJECT);
    JsonNode additional =
        formed(schema, "additionalProperties", pointer, JsonNodeType.OBJECT, JsonNodeType.BOOLEAN);
    Set<String> required = new LinkedHashSet<>();
    formed(schema, "required", pointer, JsonNodeType.ARRAY)
        .forEach(name -> required.add(name.asText()));
    List<ObjectRules.Property> properties = new ArrayList<>();
    for (var entry : declared.properties()) {
      String place = pointer + "/properties/" + escaped(entry.getKey());
      if (entry.getValue().isBoolean() && !entry.getValue().booleanValue()) {
        continue;
      }
      String value = inner.rule(entry.getValue(), place);
      properties.add(
          new ObjectRules.Property(entry.getKey(), value, required.remove(entry.getKey())));
    }
    boolean closed = additional.isBoolean() && !additional.booleanValue();
    // Models add properties to whatever is left open, so those not declared need an open word.
    boolean open = additional.isObject() || (additional.isBoolean() && !closed);
    boolean anything = additional.isMissingNode() && declared.isMissingNode();
    String other = "";
    if (additional.isObject()) {
      other = inner.rule(additional, pointer + "/additionalProperties");
    } else if (open || anything) {
      other = json.value();
    }
    for (String name : required) {
      if (closed) {
        throw new SchemaConverter.Problem(
            pointer,
            "required property \"%s\" is not among the properties, and no others are allowed"
                .formatted(name));
      }
      properties.add(new ObjectRules.Property(name, other.isEmpty() ? json.value() : other, true));
    }
    return properties.isEmpty() && other.equals(json.value())
        ? json.object()
        : book.define(
            SchemaConverter.hint(pointer),
            new ObjectRules(json).object(SchemaConverter.hint(pointer), properties, other));
  }

  private String array(ObjectNode schema, String pointer) {
    // Before draft 2020-12 a tuple was an array of items, with additionalItems behind it.
    boolean oldTuple = schema.path("items").isArray();
    String prefixKeyword = oldTuple ? "items" : "prefixItems";
    String itemsKeyword = oldTuple ? "additionalItems" : "items";
    int least = limit(schema, "minItems", 0, pointer);
    int most = limit(schema, "maxItems", Integer.MAX_VALUE, pointer);
    refuseEmptyRange(least, most, "minItems", pointer);
    List<String> prefix = new ArrayList<>();
    for (JsonNode item : formed(schema, prefixKeyword, pointer, JsonNodeType.ARRAY)) {
      if (prefix.size() < most) {
        String place = pointer + "/" + prefixKeyword + "/" + prefix.size();
        prefix.add(inner.rule(item, place));
      }
    }
    JsonNode items = schema.path(itemsKeyword);
    boolean none = items.isBoolean() && !items.booleanValue();
    if (none || (items.isMissingNode() && !prefix.isEmpty())) {
      if (least > prefix.size()) {
        throw new SchemaConverter.Problem(
            pointer, "\"minItems\" asks for more items than are described");
      }
      return book.define(
          SchemaConverter.hint(pointer),
          json.brackets(String.join(" " + json.comma() + " ", prefix)));
    }
    String item =
        items.isMissingNode() ? json.value() : inner.rule(items, pointer + "/" + itemsKeyword);
    String next = book.define(SchemaConverter.hint(pointer) + "-next", json.comma() + " " + item);
    int more = most == Integer.MAX_VALUE ? most : most - Math.max(1, prefix.size());
    String members;
    if (most == 0) {
      members = "";
    } else if (prefix.isEmpty()) {
      String all = "%s %s %s".formatted(item, repeat(next, least - 1, more, pointer), json.space());
      members = least == 0 ? "(%s)?".formatted(all) : all;
    } else {
      members =
          "%s %s %s"
              .formatted(
                  String.join(" " + json.comma() + " ", prefix),
                  repeat(next, least - prefix.size(), more, pointer),
                  json.space());
    }
    return book.define(SchemaConverter.hint(pointer), json.brackets(members));
  }

  private String string(ObjectNode schema, String pointer) {
    int least = limit(schema, "minLength", 0, pointer);
    int most = limit(schema, "maxLength", Integer.MAX_VALUE, pointer);
    refuseEmptyRange(least, most, "minLength", pointer);
    String pattern = formed(schema, "pattern", pointer, JsonNodeType.STRING).asText();
    String format = json.format(schema.path("format").asText());
    if (pattern.isEmpty() && format.isEmpty()) {
      return least == 0 && most == Integer.MAX_VALUE
          ? json.string()
          : book.define(
              SchemaConverter.hint(pointer),
              "%s %s %s"
                  .formatted(
                      JsonRules.QUOTE,
                      repeat(json.character(), least, most, pointer),
                      JsonRules.QUOTE));
    }
    if (schema.has("minLength") || schema.has("maxLength")) {
      throw new SchemaConverter.Problem(
          pointer, "a length beside \"pattern\" or \"format\" is not supported; leave one out");
    }
    if (pattern.isEmpty()) {
      return format;
    }
    try {
      return book.define(SchemaConverter.hint(pointer), StringPattern.rule(pattern, json));
    } catch (IllegalArgumentException e) {
      throw new SchemaConverter.Problem(pointer, e);
    }
  }

  private String number(ObjectNode schema, String pointer, boolean integer) {
    boolean bounded = NUMBER_KEYWORDS.stream().anyMatch(schema::has);
    if (!bounded) {
      return integer ? json.integer() : json.number();
    }
    NumberRanges.Bound lowest = bound(schema, "minimum", "exclusiveMinimum", -1, integer, pointer);
    NumberRanges.Bound highest = bound(schema, "maximum", "exclusiveMaximum", 1, integer, pointer);
    if (lowest.value() > highest.value()
        || (lowest.value() == highest.value() && (lowest.exclusive() || highest.exclusive()))) {
      throw new SchemaConverter.Problem(
          pointer, "the minimum is above the maximum, so that nothing fits");
    }
    return book.define(
        SchemaConverter.hint(pointer),
        integer
            ? NumberRanges.integers(lowest.value(), highest.value())
            : NumberRanges.numbers(lowest, highest));
  }

  private NumberRanges.Bound bound(
      ObjectNode schema,
      String inclusiveKeyword,
      String exclusiveKeyword,
      int side,
      boolean integer,
      String pointer) {
    BigDecimal farthest = BigDecimal.valueOf(side * NumberRanges.MOST);
    BigDecimal value = farthest;
    boolean exclusive = false;
    JsonNode inclusiveBound = formed(schema, inclusiveKeyword, pointer, JsonNodeType.NUMBER);
    JsonNode exclusiveBound =
        formed(schema, exclusiveKeyword, pointer, JsonNodeType.NUMBER, JsonNodeType.BOOLEAN);
    if (inclusiveBound.isNumber()) {
      value = inclusiveBound.decimalValue();
    }
    // Draft 4 wrote true beside the bound.
    if (exclusiveBound.isBoolean()) {
      exclusive = exclusiveBound.booleanValue();
    } else if (exclusiveBound.isNumber()
        && (!inclusiveBound.isNumber()
            || exclusiveBound.decimalValue().compareTo(value) * side <= 0)) {
      value = exclusiveBound.decimalValue();
      exclusive = true;
    }
    if (value.compareTo(farthest) * side >= 0) {
      return new NumberRanges.Bound(side * NumberRanges.MOST, false);
    }
    if (value.abs().compareTo(farthest.abs()) > 0) {
      throw new SchemaConverter.Problem(
          pointer,
          "numbers have at most 16 digits (\"%s\" asks for more)".formatted(inclusiveKeyword));
    }
    BigDecimal whole = value.setScale(0, side > 0 ? RoundingMode.FLOOR : RoundingMode.CEILING);
    boolean isWhole = whole.compareTo(value) == 0;
    if (integer) {
      long nearest = whole.longValueExact();
      return new NumberRanges.Bound(exclusive && isWhole ? nearest - side : nearest, false);
    }
    if (!isWhole) {
      throw new SchemaConverter.Problem(
          pointer, "\"%s\" of a number must be whole here".formatted(inclusiveKeyword));
    }
    return new NumberRanges.Bound(whole.longValueExact(), exclusive);
  }

  private String repeat(String rule, int least, int most, String pointer) {
    try {
      return book.repeat(rule, Math.max(0, least), most);
    } catch (IllegalArgumentException e) {
      throw new SchemaConverter.Problem(pointer, e);
    }
  }

  /**
   * What a keyword says; missing where it is null, as some clients write nothing. One of another
   * form is refused: it would say nothing, and nobody would know.
   */
  private static JsonNode formed(
      ObjectNode schema, String keyword, String pointer, JsonNodeType... forms) {
    JsonNode value = schema.path(keyword);
    if (value.isNull() || value.isMissingNode()) {
      return MissingNode.getInstance();
    }
    if (!List.of(forms).contains(value.getNodeType())) {
      throw new SchemaConverter.Problem(
          pointer,
          "\"%s\" is of type %s (expected: %s)"
              .formatted(
                  keyword,
                  value.getNodeType().name().toLowerCase(Locale.ROOT),
                  Stream.of(forms)
                      .map(form -> form.name().toLowerCase(Locale.ROOT))
                      .collect(Collectors.joining(" or "))));
    }
    return value;
  }

  private static int limit(ObjectNode schema, String keyword, int otherwise, String pointer) {
    JsonNode limit = schema.path(keyword);
    if (limit.isMissingNode()) {
      return otherwise;
    }
    if (!limit.isNumber() || limit.decimalValue().signum() < 0) {
      throw new SchemaConverter.Problem(
          pointer, "\"%s\" must be a number from 0".formatted(keyword));
    }
    return limit.decimalValue().min(BigDecimal.valueOf(Integer.MAX_VALUE)).intValue();
  }

  private static void refuseEmptyRange(int least, int most, String keyword, String pointer) {
    if (least > most) {
      throw new SchemaConverter.Problem(
          pointer, "\"%s\" is above its maximum, so that nothing fits".formatted(keyword));
    }
  }

  private static String escaped(String key) {
    return key.replace("~", "~0").replace("/", "~1");
  }
}
