package dev.cloister.engine.grammar;

import java.util.List;

/**
 * A grammar in GBNF, llama.cpp's grammar language, that llama.cpp b4916 and newer take without
 * failing. Immutable.
 *
 * <p>llama.cpp throws, aborts its process or loops on some grammars, so every grammar passes
 * through {@link #parse} before native code sees it, those of requests and those made here.
 *
 * @see <a href="https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md">GBNF</a>
 */
public final class Grammar {

  /** Longest text of a grammar, in characters. */
  public static final int MAX_LENGTH = 256 * 1024;

  private final String text;
  private final List<Rule> rules;

  private Grammar(String text, List<Rule> rules) {
    this.text = text;
    this.rules = rules;
  }

  /**
   * Checks a grammar: its syntax, that each rule it refers to is there, {@code root} among them,
   * that no rule begins with itself, that what it repeats stays within what llama.cpp accepts, and
   * that no place is left where nothing can follow.
   *
   * @throws IllegalArgumentException a sentence that says what is wrong and where
   */
  public static Grammar parse(String gbnf) {
    if (gbnf.length() > MAX_LENGTH) {
      throw new IllegalArgumentException(
          "grammar is %d characters long (expected: at most %d); make it smaller"
              .formatted(gbnf.length(), MAX_LENGTH));
    }
    List<Rule> rules = new GrammarParser(gbnf).rules();
    GrammarCheck.check(rules);
    return new Grammar(gbnf, rules);
  }

  /** The grammar in GBNF; its first rule to apply is named {@code root}. */
  public String text() {
    return text;
  }

  /** The rules with groups and repetitions taken apart, {@code root} first. */
  List<Rule> rules() {
    return rules;
  }

  /** Says how large the grammar is; its text may hold what a request is about. */
  @Override
  public String toString() {
    return "Grammar[%d rules, %d characters]".formatted(rules.size(), text.length());
  }

  /**
   * One rule as llama.cpp keeps it: alternatives, each a sequence without groups and repetitions.
   *
   * @param name as written, or that of the rule whose group or repetition this is
   */
  record Rule(String name, List<List<Symbol>> alternatives) {

    Rule {
      alternatives = alternatives.stream().map(List::copyOf).toList();
    }
  }

  /** What a sequence consists of. */
  sealed interface Symbol {}

  /** One character out of a set. */
  record Chars(CodePoints set) implements Symbol {}

  /**
   * What another rule describes.
   *
   * @param rule its index
   */
  record Reference(int rule) implements Symbol {}
}
