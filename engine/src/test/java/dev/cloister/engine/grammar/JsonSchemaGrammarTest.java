package dev.cloister.engine.grammar;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonSchemaGrammarTest {

  private static final String TREE =
      """
      {"$ref": "#/$defs/node", "$defs": {"node": {"type": "object",
        "properties": {"name": {"type": "string"},
          "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}},
        "required": ["name"]}}}\
      """;

  private static final String EVERYTHING =
      """
      {"type": "object", "properties": {
        "id": {"type": "string", "format": "uuid"},
        "when": {"type": "string", "format": "date-time"},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "score": {"type": ["number", "null"], "minimum": -1, "maximum": 1},
        "tags": {"type": "array", "items": {"enum": ["a", "b\\"", 3, null]}, "maxItems": 3},
        "code": {"type": "string", "pattern": "^[A-Z]{2}-\\\\d{3,}( .*)?$"},
        "note": {"anyOf": [{"type": "string", "maxLength": 600}, {"type": "boolean"}]},
        "tree": {"$ref": "#/$defs/tree"}},
       "required": ["age", "tree"], "additionalProperties": {"type": "integer"},
       "$defs": {"tree": {"type": "array", "items": {"$ref": "#/$defs/tree"}, "maxItems": 2}}}\
      """;

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      textBlock =
          """
          {"type": "string"} ~ "a b\\n\\"é水😀\\u00e9"
          {"type": "integer"} ~ -12
          {"type": "number"} ~ -1.5e+10
          {"type": "boolean"} ~ true
          {"type": "null"} ~ null
          {"type": ["string", "null"]} ~ null
          {"type": "string", "nullable": true} ~ null
          {} ~ {"a": [1, {"b": "c"}, null], "d":{}}
          true ~ [1,2, [], {}]
          {"title": "anything"} ~ "x"
          {"type": "object", "properties": null, "required": null} ~ {"a": 1}
          {"type": "object"} ~ {"a": {"b": 1}}
          {"type": "object"} ~ {}
          {"type": "array"} ~ [1, "a"]
          {"const": {"a": [1, "b"]}} ~ {"a": [1, "b"]}
          {"const": {"a": [1, "b"]}} ~ {"a":[1,"b"]}
          {"enum": ["red", "green", 5]} ~ "green"
          {"type": "integer", "enum": ["red", 5]} ~ 5
          {"type": "array", "items": {"type": "integer"}} ~ [1, 2]
          {"type": "array", "items": {"type": "integer"}} ~ []
          {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 3} ~ [1,2,3]
          {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}]} ~ [1, "a"]
          {"type": "array", "prefixItems": [{"type": "integer"}], "items": {"type": "null"}} ~ [1, null, null]
          {"type": "array", "items": [{"type": "integer"}], "additionalItems": false} ~ [1]
          {"type": "array", "maxItems": 0} ~ []
          {"type": "string", "minLength": 2, "maxLength": 3} ~ "水\\n"
          {"type": "string", "pattern": "^[a-c]+(x|yz)?\\\\.$"} ~ "abcyz."
          {"type": "string", "pattern": "^\\"\\\\\\\\$"} ~ "\\"\\\\"
          {"type": "string", "pattern": "b"} ~ "abc"
          {"type": "string", "pattern": "^a|b$"} ~ "ax"
          {"type": "string", "pattern": "^a|b$"} ~ "xb"
          {"type": "string", "pattern": "^[^x]\\\\w*$"} ~ "\\n_a9"
          {"type": "string", "format": "date"} ~ "2026-02-28"
          {"type": "string", "format": "time"} ~ "23:59:59Z"
          {"type": "string", "format": "date-time"} ~ "2026-02-28T01:02:03.123+02:00"
          {"type": "string", "format": "uuid"} ~ "123e4567-e89b-12d3-a456-426614174000"
          {"type": "string", "format": "email"} ~ "anything"
          {"properties": {"a": {"type": "integer"}, "b": {"type": "string"}}} ~ {"b": "x"}
          {"properties": {"a": {"type": "integer"}, "b": {"type": "string"}}} ~ {}
          {"properties": {"a": {}, "b": {}, "c": {}}, "required": ["b"]} ~ {"a": 1, "b": 2, "c": 3}
          {"properties": {"a": {}, "b": {}, "c": {}}, "required": ["b"]} ~ {"b": 2}
          {"properties": {"a": {}}, "required": ["z"]} ~ {"a": 1, "z": 2}
          {"properties": {"ab": {}}, "additionalProperties": {"type": "integer"}} ~ {"ab": "x", "a": 1, "abc": 2, "": 3, "b": 4}
          {"additionalProperties": {"type": "integer"}} ~ {"x": 1}
          {"anyOf": [{"type": "integer"}, {"type": "null"}]} ~ null
          {"type": "object", "properties": {"k": {"type": "string"}}, "required": ["k"], "oneOf": [{"properties": {"a": {"type": "integer"}}, "required": ["a"]}, {"properties": {"b": {"type": "integer"}}}]} ~ {"k": "x", "a": 1}
          {"allOf": [{"properties": {"a": {"type": "integer"}}, "required": ["a"]}, {"properties": {"a": {"maximum": 3}, "b": {}}}]} ~ {"a": 2, "b": 1}
          {"$ref": "#/definitions/x%20y", "definitions": {"x y": {"type": "null"}}} ~ null
          {"$ref": "#/$defs/n", "maximum": 5, "$defs": {"n": {"type": "integer", "minimum": 3}}} ~ 4
          """)
  void letsThrough(String schema, String answer) {
    assertThat(matches(schema, answer)).as(schema).isTrue();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      textBlock =
          """
          {"type": "string"} ~ "a\tb"
          {"type": "string"} ~ "a" x
          {"type": "integer"} ~ 1.5
          {"type": "integer"} ~ 01
          {"type": "number"} ~ .5
          {"type": "object"} ~ [1]
          {"type": "object"} ~ {"a" : 1}
          {"type": "object"} ~ {"a":  1}
          {"type": "object"} ~ {"a": 1,}
          {"enum": ["red", "green"]} ~ "blue"
          {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 3} ~ [1]
          {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 3} ~ [1, 2, 3, 4]
          {"type": "array", "maxItems": 0} ~ [1]
          {"type": "array", "prefixItems": [{"type": "integer"}], "items": false} ~ [1, 2]
          {"type": "string", "minLength": 2, "maxLength": 3} ~ "a"
          {"type": "string", "minLength": 2, "maxLength": 3} ~ "abcd"
          {"type": "string", "pattern": "^[a-c]+$"} ~ "abd"
          {"type": "string", "pattern": "^a|b$"} ~ "xa"
          {"type": "string", "format": "date"} ~ "2026-13-01"
          {"properties": {"a": {}, "b": {}, "c": {}}, "required": ["b"]} ~ {"a": 1, "c": 3}
          {"properties": {"a": {}, "b": {}}} ~ {"b": 1, "a": 2}
          {"properties": {"a": {}}} ~ {"z": 2}
          {"properties": {"ab": {}}, "additionalProperties": {"type": "integer"}} ~ {"a": 1, "ab": "x"}
          {"properties": {"ab": {}}, "additionalProperties": {"type": "integer"}} ~ {"\\u0061b": 1}
          {"$ref": "#/$defs/n", "maximum": 5, "$defs": {"n": {"type": "integer", "minimum": 3}}} ~ 6
          """)
  void keepsOut(String schema, String answer) {
    assertThat(matches(schema, answer)).as(schema).isFalse();
  }

  @Test
  void indentationEnds() {
    String schema = "{\"type\": \"array\"}";
    assertThat(matches(schema, "[\n  1,\n  2\n]")).isTrue();
    assertThat(matches(schema, "[\n" + " ".repeat(30) + "1]")).isFalse();
    assertThat(matches(schema, "[\n\n\n1]")).isFalse();
  }

  @Test
  void lengthsBeyondWhatLlamaCppRepeatsAreExact() {
    for (int most : List.of(255, 256, 257, 511, 512, 513, 2_000, 10_000)) {
      String schema = "{\"type\": \"string\", \"maxLength\": %d}".formatted(most);
      assertThat(matches(schema, "\"" + "x".repeat(most) + "\"")).as("%d", most).isTrue();
      assertThat(matches(schema, "\"" + "x".repeat(most + 1) + "\"")).as("%d", most).isFalse();
    }
    String atLeast = "{\"type\": \"string\", \"minLength\": 700, \"maxLength\": 1000000000}";
    assertThat(matches(atLeast, "\"" + "x".repeat(699) + "\"")).isFalse();
    assertThat(matches(atLeast, "\"" + "x".repeat(700) + "\"")).isTrue();
  }

  @Test
  void integersOfEveryRangeAreExact() {
    Random random = new Random(7);
    for (int round = 0; round < 300; round++) {
      int scale = (int) Math.pow(10, random.nextInt(1, 5));
      int low = random.nextInt(-scale, scale);
      int high = random.nextInt(low, low + scale);
      var matcher =
          matcher("{\"type\": \"integer\", \"minimum\": %d, \"maximum\": %d}".formatted(low, high));
      for (int edge :
          List.of(low, high, 0, -low, low / 10, high * 10, random.nextInt(-scale, scale))) {
        for (int value = edge - 3; value <= edge + 3; value++) {
          assertThat(matcher.matches(Integer.toString(value)))
              .as("%d in [%d, %d]", value, low, high)
              .isEqualTo(low <= value && value <= high);
        }
      }
    }
  }

  @Test
  void boundsOfNumbersAreExact() {
    Random random = new Random(8);
    for (int round = 0; round < 300; round++) {
      int low = random.nextInt(-20, 20);
      int high = random.nextInt(low + 1, low + 30);
      boolean openLow = random.nextBoolean();
      boolean openHigh = random.nextBoolean();
      var matcher =
          matcher(
              "{\"type\": \"number\", \"%s\": %d, \"%s\": %d}"
                  .formatted(
                      openLow ? "exclusiveMinimum" : "minimum",
                      low,
                      openHigh ? "exclusiveMaximum" : "maximum",
                      high));
      for (int tenths = (low - 2) * 10; tenths <= (high + 2) * 10; tenths++) {
        String text = java.math.BigDecimal.valueOf(tenths, 1).toString();
        boolean fits =
            (openLow ? tenths > low * 10 : tenths >= low * 10)
                && (openHigh ? tenths < high * 10 : tenths <= high * 10);
        assertThat(matcher.matches(text))
            .as("%s in %d..%d, open %s %s", text, low, high, openLow, openHigh)
            .isEqualTo(fits);
      }
    }
  }

  @Test
  void recursionIsLetThrough() {
    assertThat(matches(TREE, "{\"name\": \"a\", \"children\": [{\"name\": \"b\"}]}")).isTrue();
    assertThat(matches(TREE, "{\"name\": \"a\", \"children\": [{}]}")).isFalse();
    String self = "{\"properties\": {\"next\": {\"$ref\": \"#\"}}}";
    assertThat(matches(self, "{\"next\": {\"next\": {}}}")).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {TREE, EVERYTHING, "{}", "{\"type\":\"string\",\"pattern\":\"[^a]+.\\\\W\"}"})
  void whateverComesOutIsJson(String schema) throws JsonProcessingException {
    var mapper =
        JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();
    GrammarMatcher matcher = matcher(schema);
    Random random = new Random(3);
    int made = 0;
    for (int i = 0; i < 300; i++) {
      String text = matcher.random(random, 3_000);
      if (text != null) {
        mapper.readTree(text);
        made++;
      }
    }
    assertThat(made).isGreaterThan(50);
  }

  @Test
  void anyObjectIsAnObject() {
    GrammarMatcher matcher = new GrammarMatcher(JsonSchemaGrammar.anyObject());
    assertThat(matcher.matches("{\"a\": [true]}")).isTrue();
    assertThat(matcher.matches("[]")).isFalse();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '§',
      textBlock =
          """
          {"properties": {"a/b": {"not": {}}}} § schema at #/properties/a~1b: "not" is not supported; leave it out and check the answer for it
          {"type": "array", "uniqueItems": true} § schema at #: "uniqueItems" is not supported; leave it out and check the answer for it
          {"items": {"patternProperties": {}}} § schema at #/items: "patternProperties" is not supported; leave it out and check the answer for it
          {"type": "strin"} § schema at #: unknown "type" (expected: object, array, string, number, integer, boolean, null)
          {"$ref": "#/$defs/x"} § schema at #: "$ref" leads to nothing (#/$defs/x)
          {"$ref": "https://example.com/x"} § schema at #: "$ref" must point into the schema itself, as #/$defs/name does
          {"type": "integer", "minimum": 5, "maximum": 4} § schema at #: the minimum is above the maximum, so that nothing fits
          {"type": "string", "pattern": "(?=a)"} § schema at #: a group that begins with (? is not supported in a pattern (character 2)
          {"type": "string", "pattern": "(a*)*"} § schema at #: a repetition of something that may be empty is not supported in a pattern (character 6)
          {"type": "string", "pattern": "^a$", "maxLength": 3} § schema at #: a length beside "pattern" or "format" is not supported; leave one out
          false § schema at #: nothing fits this (expected: an object that says what does, or true)
          {"type": 5} § schema at #: "type" must be a name or an array of names
          {"type": "string", "pattern": 5} § schema at #: "pattern" is of type number (expected: string)
          {"type": "integer", "minimum": "a"} § schema at #: "minimum" is of type string (expected: number)
          {"type": "integer", "exclusiveMinimum": "a"} § schema at #: "exclusiveMinimum" is of type string (expected: number or boolean)
          {"type": "object", "properties": [1]} § schema at #: "properties" is of type array (expected: object)
          {"type": "object", "required": "a"} § schema at #: "required" is of type string (expected: array)
          {"enum": []} § schema at #: "enum" must be an array that is not empty
          {"required": ["a"], "additionalProperties": false} § schema at #: required property "a" is not among the properties, and no others are allowed
          {"allOf": [{"type": "string"}, {"type": "null"}]} § schema at #: two parts that must both hold have no "type" in common, so that nothing fits
          {"type": § schema is not JSON (line 1, column 9)
          """)
  void refusesInOneSentence(String schema, String sentence) {
    assertThatThrownBy(() -> JsonSchemaGrammar.of(schema))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(sentence);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"$ref\": \"#\"}",
        "{\"allOf\": [{\"$ref\": \"#\"}]}",
        "{\"anyOf\": [{\"$ref\": \"#\"}, {\"type\": \"null\"}]}",
        "{\"$ref\": \"#/$defs/a\", \"$defs\": {\"a\": {\"$ref\": \"#/$defs/b\"}, \"b\": {\"$ref\":"
            + " \"#/$defs/a\"}}}",
      })
  void circlesAreRefused(String schema) {
    assertThatThrownBy(() -> JsonSchemaGrammar.of(schema))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void schemasWithoutMeasureAreRefused() {
    String deep = "{\"items\": ".repeat(100) + "{}" + "}".repeat(100);
    assertThatThrownBy(() -> JsonSchemaGrammar.of(deep)).hasMessageContaining("nested deeper");
    StringBuilder doubling = new StringBuilder("{\"$ref\": \"#/$defs/d0\", \"$defs\": {");
    for (int i = 0; i < 50; i++) {
      String next = "{\"$ref\": \"#/$defs/d%d\", \"required\": []}".formatted(i + 1);
      doubling.append(
          "\"d%d\": {\"properties\": {\"a\": %s, \"b\": %s}},".formatted(i, next, next));
    }
    doubling.append("\"d50\": {}}}");
    assertThatThrownBy(() -> JsonSchemaGrammar.of(doubling.toString()))
        .isInstanceOf(IllegalArgumentException.class);
    StringBuilder wide = new StringBuilder("{\"properties\": {");
    for (int i = 0; i < 300; i++) {
      wide.append("\"property%d\": {\"type\": \"string\", \"maxLength\": 100},".formatted(i));
    }
    wide.append("\"last\": {}}}");
    assertThat(matches(wide.toString(), "{\"property3\": \"a\", \"property299\": \"b\"}")).isTrue();
  }

  @Test
  @Timeout(5)
  void manyRulesOfOneNameTakeNoTime() {
    String values =
        IntStream.range(0, 20_000).mapToObj(i -> "\"v" + i + "\"").collect(joining(","));
    assertThatThrownBy(() -> JsonSchemaGrammar.of("{\"enum\": [" + values + "]}"))
        .hasMessageContaining("make it smaller");
  }

  private static boolean matches(String schema, String answer) {
    return matcher(schema).matches(answer);
  }

  private static GrammarMatcher matcher(String schema) {
    return new GrammarMatcher(JsonSchemaGrammar.of(schema));
  }
}
