package dev.cloister.engine.grammar;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** The rules of a grammar being written. The same body twice is one rule. Not thread-safe. */
final class RuleBook {

  /** llama.cpp repeats less than 2,000 times; larger counts are put together from chunks. */
  private static final int CHUNK = 256;

  /** No answer comes near: a maximum beyond it is none. */
  private static final int MAX_REPETITIONS = 100_000;

  private static final int MAX_HINT = 40;

  private final Map<String, String> bodies = new LinkedHashMap<>();
  private final Map<String, String> namesByBody = new HashMap<>();

  /** The number that the next rule of a hint may have. */
  private final Map<String, Integer> numbers = new HashMap<>();

  private long length;

  /**
   * Adds a rule, or finds the one with that body.
   *
   * @param hint what it may be called; the name is made of it
   * @return its name
   */
  String define(String hint, String body) {
    String known = namesByBody.get(body);
    if (known != null) {
      return known;
    }
    String name = reserve(hint);
    complete(name, body);
    namesByBody.put(body, name);
    return name;
  }

  /** Takes a name for a rule whose body refers to it; {@link #complete} must follow. */
  String reserve(String hint) {
    String base = hint.replaceAll("[^a-zA-Z0-9]+", "-");
    base = base.substring(0, Math.min(base.length(), MAX_HINT));
    if (base.isEmpty() || base.equals("-")) {
      base = "rule";
    }
    int number = numbers.getOrDefault(base, 1);
    String name = number == 1 ? base : base + "-" + number;
    while (bodies.containsKey(name) || name.equals("root")) {
      name = base + "-" + ++number;
    }
    numbers.put(base, number + 1);
    bodies.put(name, "");
    return name;
  }

  void complete(String name, String body) {
    bodies.put(name, body);
    length += name.length() + body.length();
    if (length > Grammar.MAX_LENGTH) {
      throw new IllegalArgumentException(
          "schema makes a grammar of more than %d characters; make it smaller"
              .formatted(Grammar.MAX_LENGTH));
    }
  }

  /** The grammar that begins with the given body. */
  Grammar grammar(String root) {
    StringBuilder text = new StringBuilder("root ::= ").append(root).append('\n');
    bodies.forEach((name, body) -> text.append(name).append(" ::= ").append(body).append('\n'));
    return Grammar.parse(text.toString());
  }

  /**
   * A sequence that repeats a rule.
   *
   * @param most {@link Integer#MAX_VALUE} for no limit
   * @throws IllegalArgumentException where {@code least} is larger than any answer
   */
  String repeat(String rule, int least, int most) {
    if (least > MAX_REPETITIONS) {
      throw new IllegalArgumentException(
          "minimum of %d is too large (expected: at most %d)".formatted(least, MAX_REPETITIONS));
    }
    String start = times(rule, least);
    String rest = most > MAX_REPETITIONS ? rule + "*" : upTo(rule, most - least);
    return start.isEmpty() || rest.isEmpty() ? start + rest : start + " " + rest;
  }

  private String times(String rule, int count) {
    if (count <= 1) {
      return count == 0 ? "" : rule;
    }
    if (count <= CHUNK) {
      return "%s{%d}".formatted(rule, count);
    }
    String chunks = times(define(rule + "-chunk", times(rule, CHUNK)), count / CHUNK);
    return count % CHUNK == 0 ? chunks : chunks + " " + times(rule, count % CHUNK);
  }

  private String upTo(String rule, int count) {
    if (count <= 1) {
      return count == 0 ? "" : rule + "?";
    }
    if (count <= CHUNK) {
      return "%s{0,%d}".formatted(rule, count);
    }
    String chunk = define(rule + "-chunk", times(rule, CHUNK));
    String whole = times(chunk, count / CHUNK);
    // Each length in one way only: full chunks and less than one more.
    String fewer = upTo(chunk, count / CHUNK - 1) + " " + upTo(rule, CHUNK - 1);
    return "(%s | %s %s)".formatted(fewer.strip(), whole, upTo(rule, count % CHUNK));
  }

  /** A text as GBNF writes it, quoted. */
  static String literal(String text) {
    StringBuilder literal = new StringBuilder("\"");
    text.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '"' -> literal.append("\\\"");
                case '\\' -> literal.append("\\\\");
                case '\n' -> literal.append("\\n");
                case '\r' -> literal.append("\\r");
                case '\t' -> literal.append("\\t");
                default -> {
                  if (c < 0x20 || c == 0x7F) {
                    literal.append("\\x%02X".formatted(c));
                  } else {
                    literal.appendCodePoint(c);
                  }
                }
              }
            });
    return literal.append('"').toString();
  }

  /** A set of characters as GBNF writes it, in brackets. */
  static String characterClass(CodePoints set) {
    StringBuilder text = new StringBuilder("[");
    for (CodePoints.Range range : set.ranges()) {
      text.append(inClass(range.first()));
      if (range.last() > range.first()) {
        text.append('-').append(inClass(range.last()));
      }
    }
    return text.append(']').toString();
  }

  private static String inClass(int c) {
    if (Character.isLetterOrDigit(c) && c < 0x80) {
      return Character.toString(c);
    }
    return c <= 0xFF
        ? "\\x%02X".formatted(c)
        : c <= 0xFFFF ? "\\u%04X".formatted(c) : "\\U%08X".formatted(c);
  }
}
