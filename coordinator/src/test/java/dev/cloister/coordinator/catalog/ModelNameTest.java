package dev.cloister.coordinator.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelNameTest {
  @ParameterizedTest
  @ValueSource(
      strings = {"a", "cloister-tiny", "Qwen2.5_7B", "org/model", "llama3:8b", "o/m:t-1.0"})
  void namesWithinTheGrammar(String name) {
    assertThat(ModelName.isValid(name)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ".",
        "..",
        "../a",
        "-a",
        "a/",
        "/a",
        "a/../b",
        "a/b/c",
        "a:",
        "a:b:c",
        "a b",
        "a\n",
        "a\\b",
        "ä",
        "a\u0000",
        "\uD83D\uDE80"
      })
  void namesOutsideTheGrammar(String name) {
    assertThat(ModelName.isValid(name)).isFalse();
  }

  @Test
  void aPartHasNoMoreThan63Characters() {
    assertThat(ModelName.isValid("a".repeat(63) + "/" + "b".repeat(63) + ":" + "c".repeat(63)))
        .isTrue();
    assertThat(ModelName.isValid("a".repeat(64))).isFalse();
  }

  @Test
  void whatIsShownIsOneShortLine() {
    assertThat(ModelName.shown("it's \"fine\" \uD83D\uDE80"))
        .isEqualTo("it's \"fine\" \uD83D\uDE80");
    assertThat(ModelName.shown("a\r\n\t\u0007b\u2028c\uD83Dd")).isEqualTo("a????b?c?d");
    assertThat(ModelName.shown("\uD83D\uDE80".repeat(500)))
        .isEqualTo("\uD83D\uDE80".repeat(128) + "...");
  }
}
