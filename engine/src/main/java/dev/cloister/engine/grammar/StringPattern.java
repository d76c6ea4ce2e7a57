package dev.cloister.engine.grammar;

import java.util.ArrayList;
import java.util.List;

/**
 * A regular expression as the text of a JSON string: literals, classes, groups, alternatives and
 * repetitions; {@code ^} and {@code $} at the ends of an alternative. An end without an anchor may
 * be preceded or followed by anything, as JSON Schema's {@code pattern} searches.
 */
final class StringPattern {

  /** A part of the grammar; {@code text} may hold alternatives. */
  private record Part(String text, boolean canBeEmpty) {}

  private static final CodePoints DIGITS = CodePoints.range('0', '9');
  private static final CodePoints WORD =
      DIGITS
          .union(CodePoints.range('a', 'z'))
          .union(CodePoints.range('A', 'Z'))
          .union(CodePoints.of('_'));
  private static final CodePoints SPACE = CodePoints.anyOf(" \t\n\r\f\u000B");
  private static final String SHORT_ESCAPES = "\b\f\n\r\t\"\\";
  private static final String SHORT_ESCAPE_LETTERS = "bfnrt\"\\";
  private static final int MAX_NESTING = 50;
  private static final int UNLIMITED = Integer.MAX_VALUE;

  private final String pattern;
  private final JsonRules json;
  private int at;

  private StringPattern(String pattern, JsonRules json) {
    this.pattern = pattern;
    this.json = json;
  }

  /**
   * The sequence for a quoted string whose text matches.
   *
   * @throws IllegalArgumentException what in the pattern is not supported, for the middle of a
   *     sentence
   */
  static String rule(String pattern, JsonRules json) {
    StringPattern parser = new StringPattern(pattern, json);
    Part part = parser.alternatives(0);
    if (parser.at < pattern.length()) {
      throw parser.unsupported("a ) without its (");
    }
    return "%s (%s) %s".formatted(JsonRules.QUOTE, part.text, JsonRules.QUOTE);
  }

  private Part alternatives(int depth) {
    if (depth > MAX_NESTING) {
      throw unsupported("groups nested this deep");
    }
    List<String> texts = new ArrayList<>();
    boolean canBeEmpty = false;
    do {
      if (!texts.isEmpty()) {
        at++;
      }
      Part part = sequence(depth);
      if (part.canBeEmpty && canBeEmpty) {
        throw unsupported("two alternatives that may be empty");
      }
      canBeEmpty |= part.canBeEmpty;
      // GBNF would read on in the next line after an empty alternative at the end.
      texts.add(part.text.isEmpty() ? "\"\"" : part.text);
    } while (peek() == '|');
    return new Part(String.join(" | ", texts), canBeEmpty);
  }

  private Part sequence(int depth) {
    List<String> texts = new ArrayList<>();
    boolean canBeEmpty = true;
    boolean ended = false;
    if (depth == 0 && peek() == '^') {
      at++;
    } else if (depth == 0) {
      texts.add(json.character() + "*");
    }
    while (at < pattern.length() && peek() != '|' && peek() != ')') {
      if (depth == 0 && peek() == '$') {
        at++;
        ended = true;
        if (at < pattern.length() && peek() != '|') {
          throw unsupported("something after $");
        }
      } else {
        Part part = repeated(atom(depth));
        texts.add(part.text);
        canBeEmpty &= part.canBeEmpty;
      }
    }
    if (depth == 0 && !ended) {
      texts.add(json.character() + "*");
    }
    return new Part(String.join(" ", texts), canBeEmpty);
  }

  private Part repeated(Part atom) {
    int least;
    int most;
    switch (peek()) {
      case '*' -> {
        least = 0;
        most = UNLIMITED;
      }
      case '+' -> {
        least = 1;
        most = UNLIMITED;
      }
      case '?' -> {
        least = 0;
        most = 1;
      }
      case '{' -> {
        at++;
        least = number();
        most = least;
        if (peek() == ',') {
          at++;
          most = peek() == '}' ? UNLIMITED : number();
        }
        if (peek() != '}' || most < least) {
          throw unsupported("a repetition that is not {n}, {n,} or {n,m}");
        }
      }
      default -> {
        return atom;
      }
    }
    at++;
    if (peek() == '?') {
      // A lazy repetition matches the same texts.
      at++;
    }
    if ("*+{".indexOf(peek()) >= 0) {
      throw unsupported("a repetition of a repetition");
    }
    if (atom.canBeEmpty && most > 1) {
      throw unsupported("a repetition of something that may be empty");
    }
    if (most == 0) {
      return new Part("\"\"", true);
    }
    if (atom.canBeEmpty) {
      return atom;
    }
    String rule = json.book().define("part", atom.text);
    return new Part(json.book().repeat(rule, least, most), least == 0);
  }

  private Part atom(int depth) {
    return switch (peek()) {
      case '(' -> group(depth);
      case '[' -> set(characterClass());
      case '\\' -> set(escape());
      case '.' -> {
        at++;
        yield set(CodePoints.anyOf("\n\r").complement());
      }
      case '*', '+', '?', '{' -> throw unsupported("a repetition of nothing");
      case '^', '$' -> throw unsupported("an anchor inside");
      default -> set(CodePoints.of(next()));
    };
  }

  private Part group(int depth) {
    at++;
    if (peek() == '?') {
      if (!pattern.startsWith("?:", at)) {
        throw unsupported("a group that begins with (?");
      }
      at += 2;
    }
    Part inner = alternatives(depth + 1);
    if (peek() != ')') {
      throw unsupported("a ( without its )");
    }
    at++;
    return new Part("(" + inner.text + ")", inner.canBeEmpty);
  }

  private int next() {
    int point = pattern.codePointAt(at);
    at += Character.charCount(point);
    return point;
  }

  private CodePoints characterClass() {
    at++;
    boolean negated = peek() == '^';
    if (negated) {
      at++;
    }
    List<CodePoints.Range> ranges = new ArrayList<>();
    while (peek() != ']') {
      CodePoints first = classMember();
      boolean range = peek() == '-' && at + 1 < pattern.length() && pattern.charAt(at + 1) != ']';
      if (range) {
        at++;
        CodePoints last = classMember();
        int from = single(first);
        int to = single(last);
        if (to < from) {
          throw unsupported("a range that ends before it begins");
        }
        ranges.add(new CodePoints.Range(from, to));
      } else {
        ranges.addAll(first.ranges());
      }
    }
    at++;
    CodePoints set = CodePoints.of(ranges);
    return negated ? set.complement() : set;
  }

  private CodePoints classMember() {
    if (at >= pattern.length()) {
      throw unsupported("a [ without its ]");
    }
    return peek() == '\\' ? escape() : CodePoints.of(next());
  }

  private int single(CodePoints set) {
    if (set.ranges().size() != 1
        || set.ranges().getFirst().first() != set.ranges().getFirst().last()) {
      throw unsupported("a range with a class at its end");
    }
    return set.ranges().getFirst().first();
  }

  private CodePoints escape() {
    at++;
    char c = peek();
    at++;
    return switch (c) {
      case 'd' -> DIGITS;
      case 'D' -> DIGITS.complement();
      case 'w' -> WORD;
      case 'W' -> WORD.complement();
      case 's' -> SPACE;
      case 'S' -> SPACE.complement();
      case 'n' -> CodePoints.of('\n');
      case 'r' -> CodePoints.of('\r');
      case 't' -> CodePoints.of('\t');
      case 'f' -> CodePoints.of('\f');
      case 'x' -> CodePoints.of(hexadecimal(2));
      case 'u' -> CodePoints.of(hexadecimal(4));
      default -> {
        if (c == '\0' || Character.isLetterOrDigit(c)) {
          at -= 2;
          throw unsupported("the escape \\" + c);
        }
        yield CodePoints.of(c);
      }
    };
  }

  private int hexadecimal(int digits) {
    int value = 0;
    for (int i = 0; i < digits; i++, at++) {
      int digit = Character.digit(peek(), 16);
      if (digit < 0) {
        throw unsupported("an escape with too few hexadecimal digits");
      }
      value = value * 16 + digit;
    }
    return value;
  }

  private int number() {
    int start = at;
    while (peek() >= '0' && peek() <= '9') {
      at++;
    }
    if (at == start || at - start > 6) {
      throw unsupported("a repetition that is not {n}, {n,} or {n,m} with numbers below 1000000");
    }
    return Integer.parseInt(pattern, start, at, 10);
  }

  /** One character out of a set, as a JSON string writes it. */
  private Part set(CodePoints set) {
    List<String> ways = new ArrayList<>();
    CodePoints unescaped = set.intersection(JsonRules.UNESCAPED);
    if (!unescaped.isEmpty()) {
      ways.add(RuleBook.characterClass(unescaped));
    }
    for (int i = 0; i < SHORT_ESCAPES.length(); i++) {
      if (set.contains(SHORT_ESCAPES.charAt(i))) {
        ways.add(RuleBook.literal("\\" + SHORT_ESCAPE_LETTERS.charAt(i)));
      }
    }
    if (ways.isEmpty()) {
      throw unsupported("a character that JSON text does not hold");
    }
    return new Part(
        ways.size() == 1 ? ways.getFirst() : "(" + String.join(" | ", ways) + ")", false);
  }

  private char peek() {
    return at < pattern.length() ? pattern.charAt(at) : '\0';
  }

  private IllegalArgumentException unsupported(String what) {
    return new IllegalArgumentException(
        "%s is not supported in a pattern (character %d)".formatted(what, at + 1));
  }
}
