package dev.cloister.coordinator.gateway;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.linecorp.armeria.common.HttpData;
import dev.cloister.coordinator.inference.InvalidGenerationException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A JSON request body, read field by field. Every field of the wrong type is refused with its name;
 * {@code null} counts as absent, as OpenAI's clients mean it. Fields nobody asks for are ignored:
 * clients send many that change nothing here.
 */
final class RequestBody {
  private final JsonNode root;

  private RequestBody(JsonNode root) {
    this.root = root;
  }

  /**
   * @throws InvalidGenerationException if it is no JSON object
   */
  static RequestBody parse(HttpData content) {
    JsonNode root;
    try {
      root = Json.STRICT.readTree(content.array());
    } catch (JacksonException e) {
      throw new InvalidGenerationException("body", "the request body " + wrong(e));
    } catch (IOException e) {
      throw new InvalidGenerationException("body", "the request body cannot be read");
    }
    if (root == null || !root.isObject()) {
      throw new InvalidGenerationException(
          "body", "the request body is no JSON object (expected: {\"model\": ..., ...})");
    }
    return new RequestBody(root);
  }

  /** What is wrong, without the parser's talk of its own classes and settings. */
  private static String wrong(JacksonException e) {
    if (e instanceof StreamConstraintsException) {
      return "is nested too deeply or has too long a number or name";
    }
    String place =
        e.getLocation() == null
            ? ""
            : " (line %d, column %d)"
                .formatted(e.getLocation().getLineNr(), e.getLocation().getColumnNr());
    if (e instanceof MismatchedInputException) {
      return "goes on after its JSON object" + place;
    }
    String kind = e.getOriginalMessage().split("[:(\n]", 2)[0].strip();
    return "is no valid JSON: " + kind + place;
  }

  /** The field, or null if it is absent or {@code null}. */
  @Nullable JsonNode get(String name) {
    @Nullable JsonNode value = root.get(name);
    return value == null || value.isNull() ? null : value;
  }

  String requiredString(String name) {
    @Nullable JsonNode value = get(name);
    if (value == null) {
      throw new InvalidGenerationException(name, name + " is missing (expected: a string)");
    }
    return string(name, value);
  }

  static String string(String name, JsonNode value) {
    if (!value.isTextual()) {
      throw wrongType(name, value, "a string");
    }
    return value.textValue();
  }

  boolean flag(String name) {
    return flag(name, get(name));
  }

  static boolean flag(String name, @Nullable JsonNode value) {
    if (value == null) {
      return false;
    }
    if (!value.isBoolean()) {
      throw wrongType(name, value, "true or false");
    }
    return value.booleanValue();
  }

  OptionalDouble number(String name) {
    @Nullable JsonNode value = get(name);
    if (value == null) {
      return OptionalDouble.empty();
    }
    if (!value.isNumber()) {
      throw wrongType(name, value, "a number");
    }
    return OptionalDouble.of(value.doubleValue());
  }

  OptionalLong integer(String name) {
    @Nullable JsonNode value = get(name);
    if (value == null) {
      return OptionalLong.empty();
    }
    if (!value.isIntegralNumber() || !value.canConvertToLong()) {
      throw wrongType(name, value, "a whole number");
    }
    return OptionalLong.of(value.longValue());
  }

  OptionalInt smallInteger(String name) {
    OptionalLong value = integer(name);
    if (value.isEmpty()) {
      return OptionalInt.empty();
    }
    if (value.getAsLong() != (int) value.getAsLong()) {
      throw new InvalidGenerationException(
          name,
          name + " is " + value.getAsLong() + " (expected: at most " + Integer.MAX_VALUE + ")");
    }
    return OptionalInt.of((int) value.getAsLong());
  }

  /** A string or an array of strings, as {@code stop} has it. */
  List<String> strings(String name) {
    @Nullable JsonNode value = get(name);
    if (value == null) {
      return List.of();
    }
    if (!value.isArray()) {
      return List.of(string(name, value));
    }
    List<String> strings = new ArrayList<>();
    value.forEach(element -> strings.add(string(name, element)));
    return strings;
  }

  /**
   * Refuses a field that asks for something this version does not do: ignoring it would answer
   * another question than the one asked.
   */
  void refuse(String name) {
    @Nullable JsonNode value = get(name);
    boolean asksForNothing =
        value == null
            || (value.isBoolean() && !value.booleanValue())
            || (value.isTextual() && value.textValue().isEmpty())
            || (value.isContainerNode() && value.isEmpty());
    if (!asksForNothing) {
      throw new InvalidGenerationException(name, name + " is not supported");
    }
  }

  /** Refuses a count above one. */
  void refuseMoreThanOne(String name) {
    OptionalLong value = integer(name);
    if (value.isPresent() && value.getAsLong() != 1) {
      throw new InvalidGenerationException(
          name, name + " is " + value.getAsLong() + " (expected: 1; more is not supported)");
    }
  }

  static InvalidGenerationException wrongType(String name, JsonNode value, String expected) {
    return new InvalidGenerationException(
        name,
        name
            + " is of type "
            + value.getNodeType().name().toLowerCase(java.util.Locale.ROOT)
            + " (expected: "
            + expected
            + ")");
  }
}
