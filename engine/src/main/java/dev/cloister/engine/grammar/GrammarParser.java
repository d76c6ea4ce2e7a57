package dev.cloister.engine.grammar;

import dev.cloister.engine.grammar.Grammar.Chars;
import dev.cloister.engine.grammar.Grammar.Reference;
import dev.cloister.engine.grammar.Grammar.Rule;
import dev.cloister.engine.grammar.Grammar.Symbol;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads GBNF as {@code llama-grammar.cpp} does, and takes groups and repetitions apart into rules
 * of their own the way it does, so that what is checked is what llama.cpp will hold. Where versions
 * differ the stricter one counts: no {@code \-} escape (newer than b4916), repetitions within the
 * limit of the newer ones. Reads one grammar once.
 */
final class GrammarParser {

  /** llama.cpp's MAX_REPETITION_THRESHOLD: what is repeated must stay below it. */
  private static final int MAX_REPETITIONS = 2_000;

  private static final int MAX_SYMBOLS = 200_000;
  private static final int MAX_NESTING = 200;
  private static final int UNLIMITED = Integer.MAX_VALUE;

  private final String text;
  private final List<String> names = new ArrayList<>();
  private final List<@Nullable List<List<Symbol>>> bodies = new ArrayList<>();
  private final Map<String, Integer> indexes = new HashMap<>();
  private int at;
  private int symbols;

  GrammarParser(String text) {
    this.text = text;
  }

  /** The rules, {@code root} first. */
  List<Rule> rules() {
    int nul = text.indexOf('\0');
    if (nul >= 0) {
      at = nul;
      throw wrong("a NUL character ends the grammar early; write \\x00");
    }
    index("root");
    skipSpace(true);
    while (at < text.length()) {
      rule();
    }
    List<Rule> rules = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      List<List<Symbol>> body = bodies.get(i);
      if (body == null) {
        throw new IllegalArgumentException(
            "grammar has no rule named %1$s; add one: %1$s ::= ...".formatted(names.get(i)));
      }
      rules.add(new Rule(names.get(i), body));
    }
    return rules;
  }

  private void rule() {
    int start = at;
    String name = name();
    int index = index(name);
    skipSpace(false);
    if (!text.startsWith("::=", at)) {
      throw wrong("::= was expected after the rule name " + name);
    }
    at += 3;
    skipSpace(true);
    if (bodies.get(index) != null) {
      at = start;
      throw wrong("rule %s is defined twice; keep one".formatted(name));
    }
    bodies.set(index, alternatives(name, 0));
    if (at < text.length() && peek() != '\n' && peek() != '\r') {
      throw wrong("the end of the line was expected");
    }
    skipSpace(true);
  }

  private List<List<Symbol>> alternatives(String name, int depth) {
    if (depth > MAX_NESTING) {
      throw wrong("groups are nested more than %d deep".formatted(MAX_NESTING));
    }
    List<List<Symbol>> alternatives = new ArrayList<>();
    alternatives.add(sequence(name, depth));
    while (peek() == '|') {
      at++;
      skipSpace(true);
      alternatives.add(sequence(name, depth));
    }
    return alternatives;
  }

  private List<Symbol> sequence(String name, int depth) {
    List<Symbol> sequence = new ArrayList<>();
    // What a following repetition repeats, and how many rules that stands for, as llama.cpp counts.
    int itemStart = 0;
    long itemRules = 1;
    while (at < text.length()) {
      char c = peek();
      if (c == '*' || c == '+' || c == '?' || c == '{') {
        itemRules = repeat(name, sequence, itemStart, itemRules, depth > 0);
      } else if (c == '"' || c == '[' || c == '.' || c == '(' || isNameChar(c)) {
        itemStart = sequence.size();
        int rulesBefore = names.size();
        item(name, sequence, depth);
        itemRules = c == '(' ? Math.max(1, names.size() - rulesBefore) : 1;
      } else {
        break;
      }
      skipSpace(depth > 0);
    }
    count(sequence.size());
    return sequence;
  }

  private void item(String name, List<Symbol> sequence, int depth) {
    switch (peek()) {
      case '"' -> {
        at++;
        while (peek() != '"') {
          sequence.add(chars(CodePoints.of(character())));
        }
        at++;
      }
      case '[' -> sequence.add(chars(characterClass()));
      case '.' -> {
        at++;
        sequence.add(chars(CodePoints.ALL));
      }
      case '(' -> {
        at++;
        skipSpace(true);
        int group = generated(name);
        bodies.set(group, alternatives(name, depth + 1));
        if (peek() != ')') {
          throw wrong(") was expected");
        }
        at++;
        sequence.add(new Reference(group));
      }
      default -> sequence.add(new Reference(index(name())));
    }
  }

  private Chars chars(CodePoints set) {
    if (set.intersection(CodePoints.TEXT).isEmpty()) {
      throw wrong("no character can stand before this place; allow at least one");
    }
    return new Chars(set);
  }

  private CodePoints characterClass() {
    at++;
    boolean negated = peek() == '^';
    if (negated) {
      at++;
    }
    List<CodePoints.Range> ranges = new ArrayList<>();
    while (peek() != ']') {
      int first = character();
      int last = first;
      if (peek() == '-' && at + 1 < text.length() && text.charAt(at + 1) != ']') {
        at++;
        last = character();
        if (last < first) {
          throw wrong("a range of characters ends before it begins");
        }
      }
      ranges.add(new CodePoints.Range(first, last));
    }
    if (ranges.isEmpty()) {
      throw wrong("a class of characters is empty; name a character, or write . for any");
    }
    at++;
    CodePoints set = CodePoints.of(ranges);
    return negated ? set.complement() : set;
  }

  /** Takes the last item of a sequence apart; returns how many rules the result stands for. */
  private long repeat(
      String name, List<Symbol> sequence, int itemStart, long itemRules, boolean lines) {
    if (itemStart == sequence.size()) {
      throw wrong("something to repeat was expected before it");
    }
    int least = 0;
    int most = UNLIMITED;
    switch (peek()) {
      case '*' -> at++;
      case '+' -> {
        at++;
        least = 1;
      }
      case '?' -> {
        at++;
        most = 1;
      }
      default -> {
        at++;
        skipSpace(lines);
        least = number();
        most = least;
        skipSpace(lines);
        if (peek() == ',') {
          at++;
          skipSpace(lines);
          most = isDigit(peek()) ? number() : UNLIMITED;
          skipSpace(lines);
        }
        if (peek() != '}') {
          throw wrong("} was expected");
        }
        at++;
      }
    }
    if (most < least) {
      throw wrong("a repetition has a maximum below its minimum");
    }
    long repeated = most != UNLIMITED && most > 0 ? most : Math.max(1, least);
    if (itemRules * repeated >= MAX_REPETITIONS) {
      throw wrong(
          "a repetition is too large (expected: less than %d in all)".formatted(MAX_REPETITIONS));
    }
    List<Symbol> item = List.copyOf(sequence.subList(itemStart, sequence.size()));
    count((long) item.size() * repeated);
    sequence.subList(itemStart, sequence.size()).clear();
    for (int i = 0; i < least; i++) {
      sequence.addAll(item);
    }
    if (most > least) {
      sequence.add(
          new Reference(optional(name, item, most == UNLIMITED ? UNLIMITED : most - least)));
    }
    return itemRules * repeated;
  }

  /** The item up to {@code most} times: a chain of rules, or one that ends in itself. */
  private int optional(String name, List<Symbol> item, int most) {
    int previous = -1;
    for (int i = 0; i < (most == UNLIMITED ? 1 : most); i++) {
      int rule = generated(name);
      List<Symbol> more = new ArrayList<>(item);
      if (most == UNLIMITED) {
        more.add(new Reference(rule));
      } else if (previous >= 0) {
        more.add(new Reference(previous));
      }
      bodies.set(rule, List.of(more, List.of()));
      previous = rule;
    }
    return previous;
  }

  private int character() {
    if (at >= text.length()) {
      throw wrong("the grammar ends in the middle of a text");
    }
    int c = text.codePointAt(at);
    if (c != '\\') {
      if (Character.getType(c) == Character.SURROGATE) {
        throw wrong("half a surrogate pair is not a character");
      }
      at += Character.charCount(c);
      return c;
    }
    at++;
    char escaped = peek();
    at++;
    return switch (escaped) {
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case '\\', '"', '[', ']' -> escaped;
      case 'x' -> hexadecimal(2);
      case 'u' -> hexadecimal(4);
      case 'U' -> hexadecimal(8);
      default -> {
        at -= 2;
        throw wrong("an unknown escape; use one of \\n \\r \\t \\\\ \\\" \\[ \\] \\x \\u \\U");
      }
    };
  }

  private int hexadecimal(int digits) {
    long value = 0;
    for (int i = 0; i < digits; i++) {
      char c = peek();
      int digit = c < 0x80 ? Character.digit(c, 16) : -1;
      if (digit < 0) {
        throw wrong("%d hexadecimal digits were expected".formatted(digits));
      }
      value = value * 16 + digit;
      at++;
    }
    if (value > Character.MAX_CODE_POINT) {
      throw wrong("a character beyond U+10FFFF");
    }
    return (int) value;
  }

  private int number() {
    int start = at;
    while (isDigit(peek())) {
      at++;
    }
    if (at == start) {
      throw wrong("a number was expected");
    }
    if (at - start > 6) {
      throw wrong("a repetition is too large (expected: less than %d)".formatted(MAX_REPETITIONS));
    }
    return Integer.parseInt(text, start, at, 10);
  }

  private String name() {
    int start = at;
    while (isNameChar(peek())) {
      at++;
    }
    if (at == start) {
      throw wrong("a rule name of letters, digits and - was expected");
    }
    return text.substring(start, at);
  }

  private int index(String name) {
    Integer known = indexes.get(name);
    if (known != null) {
      return known;
    }
    indexes.put(name, names.size());
    return generated(name);
  }

  private int generated(String name) {
    names.add(name);
    bodies.add(null);
    count(1);
    return names.size() - 1;
  }

  private void count(long more) {
    symbols = (int) Math.min(Integer.MAX_VALUE, symbols + more);
    if (symbols > MAX_SYMBOLS) {
      throw wrong("the grammar grows beyond %d symbols".formatted(MAX_SYMBOLS));
    }
  }

  private void skipSpace(boolean lines) {
    while (at < text.length()) {
      char c = peek();
      if (c == '#') {
        while (at < text.length() && peek() != '\n' && peek() != '\r') {
          at++;
        }
      } else if (c == ' ' || c == '\t' || (lines && (c == '\n' || c == '\r'))) {
        at++;
      } else {
        return;
      }
    }
  }

  private char peek() {
    return at < text.length() ? text.charAt(at) : '\0';
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }

  private static boolean isNameChar(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || isDigit(c);
  }

  private IllegalArgumentException wrong(String what) {
    int end = Math.min(at, text.length());
    int line = 1 + (int) text.substring(0, end).chars().filter(c -> c == '\n').count();
    int column = end - text.lastIndexOf('\n', end - 1);
    return new IllegalArgumentException(
        "grammar is wrong at line %d, column %d: %s".formatted(line, column, what));
  }
}
