package dev.cloister.engine.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cloister.engine.chat.parsing.OutputParser;
import dev.cloister.engine.chat.parsing.OutputPart;
import dev.cloister.engine.chat.parsing.ReasoningSyntax;
import dev.cloister.engine.chat.parsing.ToolCallSyntax;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ToolCallGrammarTest {

  private static final ToolCallGrammar.Tool WEATHER =
      new ToolCallGrammar.Tool(
          "get_weather",
          "{\"type\": \"object\", \"properties\": {\"city\": {\"type\": \"string\", \"maxLength\":"
              + " 20}}, \"required\": [\"city\"]}");
  private static final ToolCallGrammar.Tool TIME = new ToolCallGrammar.Tool("get_time", "{}");

  @Test
  void theDemonstrationModelsFormIsLetThrough() {
    var matcher = matcher(ToolCallSyntax.HERMES, false);
    String call =
        "<tool_call>{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Sofia\"}}</tool_call>";
    assertThat(matcher.matches(call)).isTrue();
    assertThat(matcher.matches(call.replace(">{", ">\n{").replace("}<", "}\n<"))).isTrue();
    assertThat(matcher.matches(call + "\n" + call)).isFalse();
    assertThat(matcher(ToolCallSyntax.HERMES, true).matches(call + "\n" + call)).isTrue();
    assertThat(matcher.matches("It rains.")).isFalse();
    assertThat(matcher.matches(call.replace("get_weather", "rm_rf"))).isFalse();
    assertThat(matcher.matches(call.replace("city", "town"))).isFalse();
  }

  /** What a grammar lets through, the parser of the same syntax reads as calls and nothing else. */
  @ParameterizedTest
  @EnumSource
  void whateverComesOutIsReadAsCalls(ToolCallSyntax syntax) {
    var matcher = matcher(syntax, true);
    Random random = new Random(5);
    int made = 0;
    for (int i = 0; i < 300; i++) {
      String text = matcher.random(random, 2_000);
      if (text != null) {
        var parser =
            new OutputParser(
                Optional.of(syntax), ReasoningSyntax.TAGGED, Set.of("get_weather", "get_time"));
        List<OutputPart> parts = new ArrayList<>(parser.accept(text));
        parts.addAll(parser.end());
        assertThat(parts)
            .as(text)
            .isNotEmpty()
            .allMatch(part -> part instanceof OutputPart.ToolCall);
        made++;
      }
    }
    assertThat(made).isGreaterThan(50);
  }

  @Test
  void refusesInOneSentence() {
    assertThatThrownBy(() -> ToolCallGrammar.of(List.of(), ToolCallSyntax.HERMES, false))
        .hasMessage("a tool call was asked for, but no tools are given");
    assertThatThrownBy(() -> ToolCallGrammar.of(List.of(TIME, TIME), ToolCallSyntax.HERMES, false))
        .hasMessage("tool get_time is given twice; keep one");
    assertThatThrownBy(() -> one("{\"type\": \"string\"}"))
        .hasMessage(
            "parameters of tool t: schema at #: \"type\" must be object, as arguments have names");
    assertThatThrownBy(() -> one("{\"properties\": {\"a\": {\"not\": {}}}}"))
        .hasMessage(
            "parameters of tool t: schema at #/properties/a: \"not\" is not supported; leave it out"
                + " and check the answer for it");
    assertThatThrownBy(() -> new ToolCallGrammar.Tool("", "{}"))
        .hasMessage("a tool has no name; give it one");
  }

  private static Grammar one(String parameters) {
    return ToolCallGrammar.of(
        List.of(new ToolCallGrammar.Tool("t", parameters)), ToolCallSyntax.HERMES, false);
  }

  private static GrammarMatcher matcher(ToolCallSyntax syntax, boolean parallel) {
    return new GrammarMatcher(ToolCallGrammar.of(List.of(WEATHER, TIME), syntax, parallel));
  }
}
