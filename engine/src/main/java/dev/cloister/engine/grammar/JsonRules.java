package dev.cloister.engine.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.ArrayList;
import java.util.List;

/**
 * Rules for JSON as models write it: a space or nothing after {@code :}; after {@code ,} and inside
 * brackets a space, a new line with its indentation, or nothing. Space never follows a whole value,
 * and an indentation ends, as a model left free to write space may write nothing else.
 */
final class JsonRules {

  static final String QUOTE = "\"\\\"\"";

  /** What a string holds unescaped. DEL is left out, as llama.cpp does. */
  static final CodePoints UNESCAPED =
      CodePoints.TEXT.minus(
          CodePoints.range(0, 0x1F).union(CodePoints.anyOf("\"\\")).union(CodePoints.of(0x7F)));

  private static final int MAX_INDENTATION = 20;

  /** llama.cpp's limits: a number in words of 64 bits, and no endless digits. */
  private static final int MAX_DIGITS = 15;

  private static final String DATE =
      "[0-9]{4} \"-\" (\"0\" [1-9] | \"1\" [0-2]) \"-\" (\"0\" [1-9] | [12] [0-9] | \"3\" [01])";
  private static final String CLOCK = "([01] [0-9] | \"2\" [0-3]) \":\" [0-5] [0-9]";
  private static final String TIME =
      CLOCK + " \":\" [0-5] [0-9] (\".\" [0-9]{3})? (\"Z\" | [+-] " + CLOCK + ")";
  private static final String UUID =
      "%1$s{8} \"-\" %1$s{4} \"-\" %1$s{4} \"-\" %1$s{4} \"-\" %1$s{12}".formatted("[0-9a-fA-F]");

  private final RuleBook book;
  private String value = "";

  JsonRules(RuleBook book) {
    this.book = book;
  }

  RuleBook book() {
    return book;
  }

  String space() {
    return book.define("space", "(\" \" | \"\\n\" [ \\t]{0,%d})?".formatted(MAX_INDENTATION));
  }

  /** The comma between members, with what may follow it. */
  String comma() {
    return "\",\" " + space();
  }

  /** A character of a string; half a surrogate pair is none, though JSON's syntax has it. */
  String character() {
    String unicode =
        "[0-9a-cA-CefEF] %1$s{3} | [dD] [0-7] %1$s{2} | [dD] [89abAB] %1$s{2} \"\\\\u\" [dD] [c-fC-F] %1$s{2}"
            .formatted("[0-9a-fA-F]");
    return book.define(
        "char",
        "%s | \"\\\\\" ([\"\\\\/bfnrt] | \"u\" (%s))"
            .formatted(RuleBook.characterClass(UNESCAPED), unicode));
  }

  String string() {
    return book.define("string", QUOTE + " " + character() + "* " + QUOTE);
  }

  String integral() {
    return book.define("integral", "\"0\" | [1-9] [0-9]{0,%d}".formatted(MAX_DIGITS));
  }

  String fraction() {
    return book.define("fraction", "\".\" [0-9]{1,%d}".formatted(MAX_DIGITS));
  }

  String integer() {
    return book.define("integer", "\"-\"? " + integral());
  }

  String number() {
    return book.define(
        "number", "\"-\"? " + integral() + " " + fraction() + "? ([eE] [-+]? [0-9]{1,3})?");
  }

  String bool() {
    return book.define("boolean", "\"true\" | \"false\"");
  }

  String nothing() {
    return book.define("null", "\"null\"");
  }

  /** Any object. */
  String object() {
    return book.define("object", braces(members(member(string(), value()))));
  }

  /** Any array. */
  String array() {
    return book.define("array", brackets(members(value())));
  }

  /** Any JSON. */
  String value() {
    if (value.isEmpty()) {
      value = book.reserve("value");
      book.complete(
          value, String.join(" | ", object(), array(), string(), number(), bool(), nothing()));
    }
    return value;
  }

  /**
   * A string in a format, as RFC 3339 and RFC 9562 write it.
   *
   * @return empty for a format that is not enforced; JSON Schema takes formats as notes
   */
  String format(String format) {
    String text =
        switch (format) {
          case "date" -> DATE;
          case "time" -> TIME;
          case "date-time" -> DATE + " \"T\" " + TIME;
          case "uuid" -> UUID;
          default -> "";
        };
    return text.isEmpty() ? "" : book.define(format, "%1$s %2$s %1$s".formatted(QUOTE, text));
  }

  /** A key with its value; both are sequences. */
  String member(String key, String value) {
    return "%s \":\" \" \"? %s".formatted(key, value);
  }

  private String members(String one) {
    String member = book.define("member", one);
    String next = book.define("next-member", comma() + " " + member);
    return "(%s %s* %s)?".formatted(member, next, space());
  }

  String braces(String inner) {
    return "\"{\" %s %s \"}\"".formatted(space(), inner);
  }

  String brackets(String inner) {
    return "\"[\" %s %s \"]\"".formatted(space(), inner);
  }

  /** A sequence for exactly this value. */
  String constant(JsonNode value) {
    if (!value.isContainerNode() || value.isEmpty()) {
      return RuleBook.literal(value.toString());
    }
    List<String> members = new ArrayList<>();
    if (value.isObject()) {
      value
          .properties()
          .forEach(entry -> members.add(member(key(entry.getKey()), constant(entry.getValue()))));
    } else {
      value.forEach(element -> members.add(constant(element)));
    }
    String inner = String.join(" " + comma() + " ", members) + " " + space();
    return value.isObject() ? braces(inner) : brackets(inner);
  }

  /** A key as JSON writes it. */
  static String key(String name) {
    return RuleBook.literal(TextNode.valueOf(name).toString());
  }
}
