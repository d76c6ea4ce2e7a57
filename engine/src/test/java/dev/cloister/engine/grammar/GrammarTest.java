package dev.cloister.engine.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GrammarTest {

  private static final String CHESS =
      """
      # A move list, after llama.cpp's example
      root   ::= "1. " move " " move "\\n" ([1-9] [0-9]? ". " move " " move "\\n")+
      move   ::= (pawn | nonpawn | castle) [+#]?

      # piece type, optional file/rank, optional capture, dest file & rank
      nonpawn ::= [NBKQR] [a-h]? [1-8]? "x"? [a-h] [1-8]
      pawn   ::= ([a-h] "x")? [a-h] [1-8] ("=" [NBKQR])?
      castle ::= "O-O" "-O"?
      """;

  @Test
  void groupsClassesAndRepetitionsAreRead() {
    GrammarMatcher matcher = new GrammarMatcher(Grammar.parse(CHESS));
    assertThat(matcher.matches("1. e4 e5\n2. Nf3 Nc6\n")).isTrue();
    assertThat(matcher.matches("1. e4 e5\n2. Nf9 Nc6\n")).isFalse();
    assertThat(matcher.longestStart("1. e4 e5\n2. Nf9")).isEqualTo(14);
    GrammarMatcher counts =
        new GrammarMatcher(Grammar.parse("root ::= (\"ab\" |\n [^x-z\\n\\x41\\u6C34]){2,3} .\r\n"));
    assertThat(counts.matches("ab-😀")).isTrue();
    assertThat(counts.matches("abababa")).isTrue();
    assertThat(counts.matches("ab")).isFalse();
    assertThat(counts.matches("x12")).isFalse();
    assertThat(counts.matches("1水3")).isFalse();
    assertThat(counts.matches("1A3")).isFalse();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '§',
      quoteCharacter = '`',
      textBlock =
          """
          root ::= a § grammar has no rule named a; add one: a ::= ...
          a ::= "x" § grammar has no rule named root; add one: root ::= ...
          root "a" § grammar is wrong at line 1, column 6: ::= was expected after the rule name root
          root ::= "a § grammar is wrong at line 1, column 12: the grammar ends in the middle of a text
          root ::= [a § grammar is wrong at line 1, column 12: the grammar ends in the middle of a text
          root ::= [] § grammar is wrong at line 1, column 11: a class of characters is empty; name a character, or write . for any
          root ::= [z-a] § grammar is wrong at line 1, column 14: a range of characters ends before it begins
          root ::= ("a" § grammar is wrong at line 1, column 14: ) was expected
          root ::= "a" ) § grammar is wrong at line 1, column 14: the end of the line was expected
          root ::= * § grammar is wrong at line 1, column 10: something to repeat was expected before it
          root ::= "a"{3,2} § grammar is wrong at line 1, column 18: a repetition has a maximum below its minimum
          root ::= "a"{x} § grammar is wrong at line 1, column 14: a number was expected
          root ::= "a"{2 § grammar is wrong at line 1, column 15: } was expected
          root ::= "\\q" § grammar is wrong at line 1, column 11: an unknown escape; use one of \\n \\r \\t \\\\ \\" \\[ \\] \\x \\u \\U
          root ::= "\\x4" § grammar is wrong at line 1, column 14: 2 hexadecimal digits were expected
          root ::= "\\U00110000" § grammar is wrong at line 1, column 21: a character beyond U+10FFFF
          root ::= "\\uD83D" § grammar is wrong at line 1, column 17: no character can stand before this place; allow at least one
          root ::= [^\\x01-\\U0010FFFF] § grammar is wrong at line 1, column 28: no character can stand before this place; allow at least one
          root ::= <think> § grammar is wrong at line 1, column 10: the end of the line was expected
          root ::= root "a" | "b" § rule root of the grammar begins with itself, or repeats what can be empty; let it begin with a character
          root ::= ("a"?)* § rule root of the grammar begins with itself, or repeats what can be empty; let it begin with a character
          root ::= ("a"? | "b"?) "c" § rule root of the grammar can be empty in more than one way; leave one of them
          """)
  void refusesInOneSentence(String gbnf, String sentence) {
    assertThatThrownBy(() -> Grammar.parse(gbnf))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(sentence);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "root ::= \"a\"{2000}",
        "root ::= \"a\"{99999999999999999999}",
        "root ::= \"a\"{0,2000}",
        "root ::= (\"a\"{1000}){1000}{1000}",
        "root ::= \"a\"{100}{100}",
        "root ::= a b\na ::= | \"x\"\nb ::= a root",
        "root ::= \"a\"\nroot ::= \"b\"",
        "",
        "# nothing",
        "root ::= \"a\0\"",
        "root ::= \"\uD83D\"",
      })
  void refusesWhatLlamaCppFailsOn(String gbnf) {
    assertThatThrownBy(() -> Grammar.parse(gbnf))
        .isInstanceOf(IllegalArgumentException.class)
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\n").startsWith(e.getMessage()));
  }

  @Test
  void sizeNestingAndDepthAreLimited() {
    assertThatThrownBy(() -> Grammar.parse("root ::= \"" + "a".repeat(300_000) + "\""))
        .hasMessageContaining("characters long");
    assertThatThrownBy(() -> Grammar.parse("root ::= " + "(".repeat(1_000)))
        .hasMessageContaining("nested");
    StringBuilder chain = new StringBuilder("root ::= r0\n");
    for (int i = 0; i < 5_000; i++) {
      chain.append("r%d ::= r%d\n".formatted(i, i + 1));
    }
    chain.append("r5000 ::= \"a\"\n");
    assertThatThrownBy(() -> Grammar.parse(chain.toString()))
        .hasMessageContaining("make it flatter");
    assertThatThrownBy(() -> Grammar.parse("root ::= " + "a{1999} ".repeat(200) + "\na ::= \"a\""))
        .hasMessageContaining("grows beyond");
  }

  @Test
  void garbageIsRefusedOrReadButNeverThrowsAnythingElse() {
    List<String> atoms =
        List.of(
            "root",
            "::=",
            "a",
            "|",
            "(",
            ")",
            "[",
            "]",
            "^",
            "-",
            "\"",
            "\\",
            "{",
            "}",
            "1",
            ",",
            "*",
            "+",
            "?",
            ".",
            "\n",
            " ",
            "#",
            "root ::= ",
            "\"a\"",
            "a ::= \"b\"\n",
            "é",
            "\r",
            "x",
            "U");
    for (long seed = 0; seed < 50_000; seed++) {
      Random random = new Random(seed);
      StringBuilder text = new StringBuilder(random.nextBoolean() ? "root ::= " : "");
      for (int i = random.nextInt(20); i > 0; i--) {
        text.append(atoms.get(random.nextInt(atoms.size())));
      }
      try {
        Grammar.parse(text.toString());
      } catch (IllegalArgumentException e) {
        assertThat(e.getMessage()).as("seed %d", seed).isNotEmpty();
      }
    }
  }
}
