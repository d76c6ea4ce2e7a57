package dev.cloister.engine.chat.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Everything here was rendered by jinja2 first; render.py beside the fixtures says how. */
final class RenderedByJinjaTest {

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(DeserializationFeature.USE_LONG_FOR_INTS);
  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-07-05T09:03:07Z"), ZoneOffset.UTC);
  private static final String REFUSED = "TemplateError: ";

  private record Outcome(@Nullable String output, @Nullable String error) {}

  private record Snippet(String template, @Nullable String output, @Nullable String error) {}

  private record Snippets(Map<String, @Nullable Object> variables, List<Snippet> cases) {}

  @TestFactory
  Stream<DynamicTest> everyPieceOfTheDialect() throws IOException {
    Snippets snippets = JSON.readValue(resource("snippets.json"), Snippets.class);
    assertThat(snippets.cases()).hasSizeGreaterThan(150);
    return snippets.cases().stream()
        .map(
            snippet ->
                DynamicTest.dynamicTest(
                    snippet.template(),
                    () ->
                        check(
                            snippet.template(),
                            snippets.variables(),
                            new Outcome(snippet.output(), snippet.error()))));
  }

  @TestFactory
  Stream<DynamicTest> everyFamilyInEveryConversation() throws IOException {
    Map<String, Map<String, @Nullable Object>> conversations =
        JSON.readValue(resource("conversations.json"), new TypeReference<>() {});
    return Stream.of(
            "chatml",
            "demo-model",
            "gemma-1",
            "gemma-3",
            "llama-2",
            "llama-3",
            "llama-3.1-tools",
            "mistral-tekken-tools",
            "mistral-v1",
            "olmo-2",
            "phi-3",
            "qwen2.5-tools",
            "qwen3-reasoning",
            "tinyllama-zephyr")
        .flatMap(family -> conversations(family, conversations));
  }

  private static Stream<DynamicTest> conversations(
      String family, Map<String, Map<String, @Nullable Object>> conversations) {
    String template = resource("families/" + family + ".jinja");
    Map<String, Outcome> outcomes;
    try {
      outcomes = JSON.readValue(resource("families/" + family + ".json"), new TypeReference<>() {});
    } catch (IOException e) {
      throw new IllegalStateException("broken fixture of " + family, e);
    }
    assertThat(outcomes.keySet()).isEqualTo(conversations.keySet());
    return outcomes.entrySet().stream()
        .map(
            outcome ->
                DynamicTest.dynamicTest(
                    family + ", " + outcome.getKey(),
                    () ->
                        check(
                            template,
                            Objects.requireNonNull(conversations.get(outcome.getKey())),
                            outcome.getValue())));
  }

  private static void check(
      String template, Map<String, @Nullable Object> variables, Outcome expected) {
    String error = expected.error();
    if (error == null) {
      assertThat(ChatTemplate.parse(template, CLOCK).render(variables))
          .isEqualTo(expected.output());
    } else {
      assertThatThrownBy(() -> ChatTemplate.parse(template, CLOCK).render(variables))
          .isInstanceOf(TemplateException.class)
          .hasMessageContaining(
              error.startsWith(REFUSED)
                  ? "refuses the messages: " + error.substring(REFUSED.length())
                  : "at line ");
    }
  }

  private static String resource(String name) {
    try (InputStream in = RenderedByJinjaTest.class.getResourceAsStream(name)) {
      return new String(Objects.requireNonNull(in, name).readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new IllegalStateException("cannot read " + name, e);
    }
  }
}
