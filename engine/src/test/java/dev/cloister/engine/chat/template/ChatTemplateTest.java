package dev.cloister.engine.chat.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ChatTemplateTest {

  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-07-05T21:03:07Z"), ZoneOffset.UTC);

  private static String render(String template) {
    return render(template, Map.of());
  }

  private static String render(String template, Map<String, ? extends @Nullable Object> variables) {
    return ChatTemplate.parse(template, CLOCK).render(variables);
  }

  @Test
  void aRefusalCarriesTheTemplatesOwnWords() {
    assertThatThrownBy(() -> render("{{ raise_exception('Roles must alternate!') }}"))
        .isInstanceOf(TemplateException.class)
        .hasMessage("the model's chat template refuses the messages: Roles must alternate!");
  }

  @Test
  void aFailureNamesItsLine() {
    assertThatThrownBy(() -> render("a\n{% if true %}\n  {{ 'x' | shout }}\n{% endif %}"))
        .hasMessage("the model's chat template failed at line 3: there is no filter named 'shout'");
  }

  @Test
  void aMalformedTemplateNamesItsLine() {
    assertThatThrownBy(() -> render("a\n{# b\n #}\n{{ 'x\ny' }}\n{% for x of y %}"))
        .hasMessage(
            "the model's chat template is malformed at line 6: unexpected 'of' (expected: 'in')");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        // Time
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% for a in range(99999) %}{{ range(99999) | list | sort | length }}{% endfor %}",
        "{% set s = 'x' * 9000000 %}{% for a in range(99999) %}{{ 'y' in s }}{% endfor %}",
        // Memory
        "{% set n = namespace(s='xy') %}{% for a in range(99) %}{% set n.s = n.s + n.s %}{% endfor"
            + " %}",
        "{% set n = namespace(l=[1]) %}{% for a in range(99) %}{% set n.l = n.l + n.l %}{% endfor"
            + " %}",
        "{% set s = 'x' * 999999 %}{{ s.replace('x', s) }}",
        "{% set s = 'x' * 999999 %}{{ s.join(s | list) }}",
        "{% set s = 'x\n' * 999999 %}{{ s | indent(999) }}",
        "{{ 'x' * 9999999999 }}",
        "{{ [1] * 9999999999 }}",
        "{{ '%99999999d' % 1 }}",
        // Data that holds itself twice at every level
        "{% set n = namespace(l=[1]) %}{% for a in range(99) %}{% set n.l = [n.l, n.l] %}{% endfor"
            + " %}{{ n.l | tojson }}",
        "{% set n = namespace(l=[1], m=[1]) %}{% for a in range(99) %}{% set n.l = [n.l, n.l] %}"
            + "{% set n.m = [n.m, n.m] %}{% endfor %}{{ n.l == n.m }}",
        // Depth
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "{% set n = namespace(l=1) %}{% for a in range(9999) %}{% set n.l = [n.l] %}{% endfor %}{{"
            + " n.l }}",
        "{% set n = namespace(l=1) %}{% for a in range(9999) %}{% set n.l = [n.l] %}{% endfor %}"
            + "{{ n.l | tojson }}",
        "{{ 9 ** 99 }}",
      })
  void aTemplateWithoutEndEndsWithAnError(String template) {
    assertThatThrownBy(() -> render(template))
        .isInstanceOf(TemplateException.class)
        .hasMessageContaining("failed at line ");
  }

  @Test
  void nestingInTheSourceIsLimited() {
    for (String deep :
        List.of(
            "{{ " + "(".repeat(100_000) + "1" + ")".repeat(100_000) + " }}",
            "{{ " + "[".repeat(100_000),
            "{{ " + "not ".repeat(100_000) + "1 }}",
            "{{ " + "-".repeat(100_000) + "1 }}",
            "{{ " + "1 if 1 else ".repeat(100_000) + "1 }}",
            "{% if 1 %}".repeat(100_000),
            "{% if 1 %}" + "{% elif 1 %}".repeat(100_000) + "{% endif %}",
            "{{ 1" + " + 1".repeat(100_000) + " }}",
            "{{ a" + ".a".repeat(100_000) + " }}",
            "{{ 1" + " | string".repeat(100_000) + " }}")) {
      assertThatThrownBy(() -> render(deep))
          .isInstanceOf(TemplateException.class)
          .hasMessageContaining("nested more than");
    }
  }

  @Test
  void nothingOfJavaCanBeReached() {
    for (String name : List.of("getClass", "class", "hashCode", "length", "__class__", "stream")) {
      assertThat(
              render(
                  "{{ 'x'." + name + " is defined }}{{ l." + name + " is defined }}",
                  Map.of("l", List.of(1L))))
          .isEqualTo("FalseFalse");
    }
  }

  @Test
  void theClockTellsTheTimeInItsZone() {
    String template =
        "{{ strftime_now('%Y-%m-%d %H:%M:%S %b %B %a %A %j %y %I %p %-d %e %% %F %T') }}";
    Clock tokyo = CLOCK.withZone(ZoneId.of("Asia/Tokyo"));
    assertThat(ChatTemplate.parse(template, tokyo).render(Map.of()))
        .isEqualTo(
            "2026-07-06 06:03:07 Jul July Mon Monday 187 26 06 AM 6  6 % 2026-07-06 06:03:07");
  }

  @Test
  void aVariableHidesAFunction() {
    assertThat(render("{{ range }}", Map.of("range", "mine"))).isEqualTo("mine");
  }

  @Test
  void oneTemplateRendersOnManyThreads() throws Exception {
    ChatTemplate template =
        ChatTemplate.parse(
            "{% set n = namespace(s='') %}{% for i in range(200) %}{% set n.s = n.s ~ x %}{% endfor"
                + " %}{{ n.s }}",
            CLOCK);
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<Future<String>> results = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        Map<String, String> variables = Map.of("x", "<" + i + ">");
        results.add(threads.submit(() -> template.render(variables)));
      }
      for (int i = 0; i < results.size(); i++) {
        assertThat(results.get(i).get()).isEqualTo(("<" + i + ">").repeat(200));
      }
    }
  }

  @Test
  void aLongConversationIsWithinTheAllowance() {
    List<Map<String, String>> messages = new ArrayList<>();
    for (int i = 0; i < 2000; i++) {
      messages.add(
          Map.of("role", i % 2 == 0 ? "user" : "assistant", "content", "word ".repeat(400)));
    }
    assertThat(
            render(
                "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] | trim + '\n' }}"
                    + "{% endfor %}",
                Map.of("messages", messages)))
        .hasSizeGreaterThan(3_990_000);
  }
}
