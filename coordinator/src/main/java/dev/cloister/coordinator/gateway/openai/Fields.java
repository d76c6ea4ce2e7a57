package dev.cloister.coordinator.gateway.openai;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.linecorp.armeria.common.HttpData;
import dev.cloister.coordinator.inference.InvalidGenerationException;
import java.io.IOException;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The fields of a JSON object of a request, read one by one. Every field of the wrong type is
 * refused with its full name, such as {@code messages[0].role}; {@code null} counts as absent, as
 * OpenAI's clients mean it. Fields nobody asks for are ignored: clients send many that change
 * nothing here.
 */
final class Fields {
  private final String path;
  private final JsonNode node;

  /**
   * @param path of the object itself; empty for the body
   */
  private Fields(String path, JsonNode node) {
    this.path = path;
    this.node = node;
  }

  /**
   * @throws InvalidGenerationException if the body is no JSON object
   */
  static Fields parse(HttpData content) {
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
    return new Fields("", root);
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

  /** The object as JSON, its fields in the caller's order. */
  String json() {
    return node.toString();
  }

  /** All fields, in the caller's order. */
  Set<Map.Entry<String, JsonNode>> entries() {
    return node.properties();
  }

  /** The field, or null if it is absent or {@code null}. */
  @Nullable JsonNode get(String name) {
    @Nullable JsonNode value = node.get(name);
    return value == null || value.isNull() ? null : value;
  }

  Optional<String> string(String name) {
    @Nullable JsonNode value = get(name);
    return value == null ? Optional.empty() : Optional.of(string(name(name), value));
  }

  String requiredString(String name) {
    return string(name).orElseThrow(() -> refused(name, "is missing (expected: a string)"));
  }

  private static String string(String fullName, JsonNode value) {
    if (!value.isTextual()) {
      throw wrongType(fullName, value, "a string");
    }
    return value.textValue();
  }

  boolean flag(String name, boolean otherwise) {
    @Nullable JsonNode value = get(name);
    if (value == null) {
      return otherwise;
    }
    if (!value.isBoolean()) {
      throw wrongType(name(name), value, "true or false");
    }
    return value.booleanValue();
  }

  OptionalDouble number(String name) {
    @Nullable JsonNode value = get(name);
    if (value == null) {
      return OptionalDouble.empty();
    }
    if (!value.isNumber()) {
      throw wrongType(name(name), value, "a number");
    }
    return OptionalDouble.of(value.doubleValue());
  }

  /** A whole number within limits, both included. */
  OptionalLong integer(String name, long least, long most) {
    @Nullable JsonNode value = get(name);
    if (value == null) {
      return OptionalLong.empty();
    }
    if (!value.isIntegralNumber()) {
      throw wrongType(name(name), value, "a whole number");
    }
    BigInteger number = value.bigIntegerValue();
    if (number.compareTo(BigInteger.valueOf(least)) < 0
        || number.compareTo(BigInteger.valueOf(most)) > 0) {
      throw refused(name, "is %s (expected: %d to %d)".formatted(said(number), least, most));
    }
    return OptionalLong.of(number.longValue());
  }

  /** One of hundreds of digits is not repeated. */
  private static String said(BigInteger number) {
    if (number.bitLength() < Long.SIZE) {
      return number.toString();
    }
    return "too %s a number".formatted(number.signum() < 0 ? "small" : "large");
  }

  /** The same in 32 bits. */
  OptionalInt smallInteger(String name, int least, int most) {
    OptionalLong value = integer(name, least, most);
    return value.isPresent() ? OptionalInt.of((int) value.getAsLong()) : OptionalInt.empty();
  }

  /** A string or an array of strings, as {@code stop} has it. */
  List<String> strings(String name) {
    @Nullable JsonNode value = get(name);
    if (value == null) {
      return List.of();
    }
    if (!value.isArray()) {
      return List.of(string(name(name), value));
    }
    List<String> strings = new ArrayList<>();
    value.forEach(element -> strings.add(string(name(name), element)));
    return strings;
  }

  Optional<Fields> object(String name) {
    @Nullable JsonNode value = get(name);
    if (value == null) {
      return Optional.empty();
    }
    if (!value.isObject()) {
      throw wrongType(name(name), value, "an object");
    }
    return Optional.of(new Fields(name(name), value));
  }

  Fields requiredObject(String name) {
    return object(name).orElseThrow(() -> refused(name, "is missing (expected: an object)"));
  }

  /**
   * An array of objects; empty if it is absent.
   *
   * @param element what each is
   */
  List<Fields> objects(String name, String element) {
    @Nullable JsonNode value = get(name);
    if (value == null) {
      return List.of();
    }
    if (!value.isArray()) {
      throw wrongType(name(name), value, "an array");
    }
    List<Fields> objects = new ArrayList<>();
    for (JsonNode each : value) {
      String fullName = name(name) + "[" + objects.size() + "]";
      if (!each.isObject()) {
        throw wrongType(fullName, each, element);
      }
      objects.add(new Fields(fullName, each));
    }
    return objects;
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
      throw refused(name, "is not supported");
    }
  }

  /** A field that cannot be taken, as one sentence that begins with its name. */
  InvalidGenerationException refused(String name, String why) {
    return new InvalidGenerationException(name(name), name(name) + " " + why);
  }

  private String name(String field) {
    return path.isEmpty() ? field : path + "." + field;
  }

  private static InvalidGenerationException wrongType(
      String fullName, JsonNode value, String expected) {
    return new InvalidGenerationException(
        fullName,
        fullName
            + " is of type "
            + value.getNodeType().name().toLowerCase(Locale.ROOT)
            + " (expected: "
            + expected
            + ")");
  }
}
