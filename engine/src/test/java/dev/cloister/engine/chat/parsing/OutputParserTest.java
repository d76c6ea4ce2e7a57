package dev.cloister.engine.chat.parsing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.engine.chat.parsing.OutputPart.Content;
import dev.cloister.engine.chat.parsing.OutputPart.Reasoning;
import dev.cloister.engine.chat.parsing.OutputPart.ToolCall;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class OutputParserTest {

  private static final Set<String> TOOLS = Set.of("get_weather", "get_time");
  private static final String SOFIA = "{\"city\": \"Sofia\"}";

  @Test
  void plainTextPassesStraightThrough() {
    OutputParser parser = parser(ToolCallSyntax.HERMES, ReasoningSyntax.NONE);
    parser.accept("Hello");
    String piece = " world";
    assertThat(parser.accept(piece))
        .singleElement()
        .satisfies(part -> assertThat(((Content) part).text()).isSameAs(piece));
    assertThat(parser.end()).isEmpty();
  }

  @Test
  void withoutToolsAndReasoningMarkupIsText() {
    String text = "<think>a</think><tool_call>{\"name\": \"get_time\"}</tool_call> ";
    OutputParser parser =
        new OutputParser(Optional.of(ToolCallSyntax.HERMES), ReasoningSyntax.NONE, Set.of());
    assertThat(parser.accept(text)).containsExactly(new Content(text));
    assertThat(parser.end()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "<tool_call>{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Sofia\"}}</tool_call>",
        """

        <tool_call>
        {"name": "get_weather", "arguments": {"city": "Sofia"}}
        </tool_call>
        """,
        "<tool_call>{\"arguments\": {\"city\": \"Sofia\"}, \"name\": \"get_weather\"}",
        "<tool_call>{\"name\": \"get_weather\", \"arguments\": \"{\\\"city\\\": \\\"Sofia\\\"}\"}\n"
            + "</tool_",
      })
  void hermesCallsAreRead(String text) {
    assertThat(parts(ToolCallSyntax.HERMES, ReasoningSyntax.NONE, text))
        .containsExactly(new ToolCall(0, "get_weather", SOFIA));
  }

  @Test
  void severalHermesCallsAndTextAroundThem() {
    String call = "<tool_call>\n{\"name\": \"get_time\"}\n</tool_call>";
    String tagInString =
        "<tool_call>{\"name\": \"get_weather\", \"arguments\": {\"a\":"
            + " \"}</tool_call>\"}}</tool_call>";
    assertThat(
            parts(
                ToolCallSyntax.HERMES,
                ReasoningSyntax.NONE,
                "Let me see.\n\n" + call + "\n" + tagInString + "\nDone, a < b. "))
        .containsExactly(
            new Content("Let me see."),
            new ToolCall(0, "get_time", "{}"),
            new ToolCall(1, "get_weather", "{\"a\": \"}</tool_call>\"}"),
            new Content("Done, a < b. "));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"name\": \"get_weather\", \"parameters\": {\"city\": \"Sofia\"}}",
        "<|python_tag|>{\"name\": \"get_weather\", \"parameters\": {\"city\": \"Sofia\"}}",
        " {\"type\": \"function\", \"name\": \"get_weather\", \"parameters\": {\"city\":"
            + " \"Sofia\"}} ;\n",
      })
  void llamaCallsAreRead(String text) {
    assertThat(parts(ToolCallSyntax.LLAMA3, ReasoningSyntax.NONE, text))
        .containsExactly(new ToolCall(0, "get_weather", SOFIA));
  }

  @Test
  void severalLlamaCalls() {
    String call = "{\"name\": \"get_weather\", \"parameters\": {\"city\": \"Sofia\"}}";
    String other = "{\"name\": \"get_time\", \"parameters\": {}}";
    assertThat(
            parts(ToolCallSyntax.LLAMA3, ReasoningSyntax.NONE, call + "; " + other + "\n" + other))
        .containsExactly(
            new ToolCall(0, "get_weather", SOFIA),
            new ToolCall(1, "get_time", "{}"),
            new ToolCall(2, "get_time", "{}"));
  }

  @Test
  void anAnswerInJsonIsNotHeldBack() {
    OutputParser parser = parser(ToolCallSyntax.LLAMA3, ReasoningSyntax.NONE);
    parser.accept("{\"city\":");
    assertThat(parser.accept(" \"Sofia\"")).containsExactly(new Content(" \"Sofia\""));
  }

  @ParameterizedTest
  @EnumSource(names = {"MISTRAL", "MISTRAL_NAMED"})
  void mistralCallsAreRead(ToolCallSyntax syntax) {
    String array =
        "[TOOL_CALLS] [{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Sofia\"}, \"id\":"
            + " \"abcdefghi\"}, {\"name\": \"get_time\", \"arguments\": {}}]";
    String named =
        "[TOOL_CALLS]get_weather[ARGS]{\"city\":"
            + " \"Sofia\"}[TOOL_CALLS]get_time[CALL_ID]abcdefghi[ARGS]{}";
    for (String text : List.of(array, named)) {
      assertThat(parts(syntax, ReasoningSyntax.NONE, text))
          .containsExactly(
              new ToolCall(0, "get_weather", SOFIA), new ToolCall(1, "get_time", "{}"));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "<tool_call>{\"name\": \"get_weather\", \"arguments\": {\"city\": Sofia}}</tool_call>",
        "<tool_call>{\"name\": \"rm_rf\", \"arguments\": {}}</tool_call>",
        "<tool_call>{\"arguments\": {}}</tool_call>",
        "<tool_call>{\"name\": \"get_time\", \"arguments\": [1]}</tool_call>",
        "<tool_call>{\"name\": \"get_time\"} and more",
        "<tool_call>{\"name\": \"get_time\", \"name\": \"get_weather\"}</tool_call>",
        "<tool_call>{\"name\": \"get_time\", \"arguments\": {\"a\": 1",
        " <tool_call> hello",
        "<tool_call",
        "a <tool_calls> b <tool <",
        "[TOOL_CALLS]get_weather{}",
        "[TOOL_CALLS]rm_rf[ARGS]{}",
        "[TOOL_CALLS][{\"name\": \"get_time\"}, 3]",
        "[TOOL_CALLS][]",
        "[TOOL",
        "{\"name\": \"get_time\"} is a call",
        "{\"name\": \"Ana\", \"age\": 31}",
        "<|python_tag|>brave_search.call(query=\"x\")",
        "<|python",
        "  \n",
        "text with space at the end \n",
        "{",
        "{}",
      })
  void whatIsNoCallComesOutUnharmed(String text) {
    for (ToolCallSyntax syntax : ToolCallSyntax.values()) {
      for (ReasoningSyntax reasoning : List.of(ReasoningSyntax.NONE, ReasoningSyntax.TAGGED)) {
        if (syntax == ToolCallSyntax.LLAMA3 || !text.startsWith("{")) {
          assertThat(parts(syntax, reasoning, text)).containsExactly(new Content(text));
        }
      }
    }
  }

  @Test
  void aCallAfterABrokenOneIsRead() {
    assertThat(
            parts(
                ToolCallSyntax.HERMES,
                ReasoningSyntax.NONE,
                "<tool_call>{\"name\": \"get <tool_call>{\"name\": \"get_time\"}</tool_call>"))
        .containsExactly(
            new Content("<tool_call>{\"name\": \"get"), new ToolCall(0, "get_time", "{}"));
  }

  @Test
  void reasoningIsSplitOff() {
    var expected = List.of(new Reasoning("Hm, a </b>\nso."), new Content("42"));
    assertThat(parts(null, ReasoningSyntax.TAGGED, "\n<think>\nHm, a </b>\nso.\n</think>\n\n42"))
        .isEqualTo(expected);
    assertThat(parts(null, ReasoningSyntax.OPENED, "\nHm, a </b>\nso.\n</think>\n\n42"))
        .isEqualTo(expected);
    assertThat(parts(null, ReasoningSyntax.OPENED, "<think>Hm, a </b>\nso.</think>42"))
        .isEqualTo(expected);
    assertThat(parts(null, ReasoningSyntax.TAGGED, "<think>\n\n</think>\n\n42"))
        .containsExactly(new Content("42"));
    assertThat(parts(null, ReasoningSyntax.TAGGED, "42 <think>a</think>"))
        .containsExactly(new Content("42 <think>a</think>"));
    assertThat(parts(null, ReasoningSyntax.OPENED, "cut off</thi"))
        .containsExactly(new Reasoning("cut off</thi"));
  }

  @Test
  void endlessSpaceIsNotHeldBack() {
    OutputParser parser = parser(ToolCallSyntax.HERMES, ReasoningSyntax.NONE);
    parser.accept("a");
    int shown = 0;
    for (int i = 0; i < 1_000; i++) {
      shown += parser.accept("\n").size();
    }
    assertThat(shown).isGreaterThan(900);
  }

  @Test
  void aCallInThoughtIsNoCall() {
    String call = "<tool_call>{\"name\": \"get_time\"}</tool_call>";
    assertThat(
            parts(
                ToolCallSyntax.HERMES,
                ReasoningSyntax.TAGGED,
                "<think>I write " + call + "</think>\n" + call))
        .containsExactly(new Reasoning("I write " + call), new ToolCall(0, "get_time", "{}"));
  }

  /** Random rows of what markup is made of: nothing throws, nothing depends on the pieces. */
  @ParameterizedTest
  @EnumSource
  void anySplitGivesTheSameAndNothingIsLost(ToolCallSyntax syntax) {
    List<String> atoms =
        List.of(
            "<tool_call>",
            "</tool_call>",
            "<tool_call>\n{\"name\": \"get_time\"}\n</tool_call>",
            "{\"name\": \"get_weather\", \"arguments\": {\"a\": [1, \"\\u00e9\\\"\"]}}",
            "<think>",
            "</think>",
            "[TOOL_CALLS]",
            "[ARGS]",
            "get_time",
            "[",
            "]",
            "{",
            "}",
            "\"",
            "\\",
            ":",
            ",",
            ";",
            "<",
            "</",
            "<|python_tag|>",
            " ",
            "\n",
            "name",
            "a",
            "é水😀",
            "\0",
            "{\"name\": \"get_time\", \"parameters\": {}}",
            "[TOOL_CALLS]get_time[ARGS]{\"a\": 1}");
    List<ReasoningSyntax> syntaxes = List.of(ReasoningSyntax.values());
    for (long seed = 0; seed < 20_000; seed++) {
      Random random = new Random(seed);
      StringBuilder text = new StringBuilder();
      for (int i = random.nextInt(12); i > 0; i--) {
        text.append(atoms.get(random.nextInt(atoms.size())));
      }
      ReasoningSyntax reasoning = syntaxes.get(random.nextInt(syntaxes.size()));
      String all = text.toString();
      List<OutputPart> whole = joined(parser(syntax, reasoning), List.of(all));
      List<String> characters =
          all.chars().mapToObj(c -> Character.toString((char) c)).collect(Collectors.toList());
      assertThat(joined(parser(syntax, reasoning), characters))
          .as("seed %d", seed)
          .isEqualTo(whole);
      assertThat(joined(parser(syntax, reasoning), pieces(all, random)))
          .as("seed %d", seed)
          .isEqualTo(whole);
      assertNothingLost(all, whole, reasoning, seed);
    }
  }

  private static void assertNothingLost(
      String all, List<OutputPart> parts, ReasoningSyntax reasoning, long seed) {
    StringBuilder shown = new StringBuilder();
    boolean onlyContent = true;
    for (OutputPart part : parts) {
      shown.append(
          switch (part) {
            case Content content -> content.text();
            case Reasoning thought -> thought.text();
            case ToolCall call -> call.arguments();
          });
      onlyContent &= part instanceof Content;
    }
    // No markup holds this.
    assertThat(shown.toString().split("水", -1))
        .as("seed %d", seed)
        .hasSameSizeAs(all.split("水", -1));
    if (onlyContent && reasoning == ReasoningSyntax.NONE) {
      assertThat(shown).as("seed %d", seed).hasToString(all);
    }
  }

  /** What begins a call time and again would take minutes if each were read to the end. */
  @Test
  @Timeout(20)
  void beginningsOfCallsAreNotReadTimeAndAgain() {
    List<String> starts =
        List.of("<tool_call>{", "<tool_call>{\"name\": \"", "<tool_call>{\",\":\"", "<tool_call> ");
    for (String start : starts) {
      OutputParser parser = parser(ToolCallSyntax.HERMES, ReasoningSyntax.TAGGED);
      int shown = 0;
      for (int i = 0; i < 50_000; i++) {
        for (OutputPart part : parser.accept(start)) {
          shown += ((Content) part).text().length();
        }
      }
      for (OutputPart part : parser.end()) {
        shown += ((Content) part).text().length();
      }
      assertThat(shown).as(start).isEqualTo(50_000 * start.length());
    }
  }

  private static List<String> pieces(String text, Random random) {
    List<String> pieces = new ArrayList<>();
    int at = 0;
    while (at < text.length()) {
      int end = Math.min(text.length(), at + random.nextInt(8));
      pieces.add(text.substring(at, end));
      at = end;
    }
    return pieces;
  }

  /** The parts for the whole text, each way of splitting it checked on the way. */
  private static List<OutputPart> parts(
      @Nullable ToolCallSyntax syntax, ReasoningSyntax reasoning, String text) {
    List<OutputPart> whole = joined(parser(syntax, reasoning), List.of(text));
    for (int at = 0; at <= text.length(); at++) {
      assertThat(
              joined(parser(syntax, reasoning), List.of(text.substring(0, at), text.substring(at))))
          .as("split at %d", at)
          .isEqualTo(whole);
    }
    return whole;
  }

  private static OutputParser parser(@Nullable ToolCallSyntax syntax, ReasoningSyntax reasoning) {
    return new OutputParser(Optional.ofNullable(syntax), reasoning, TOOLS);
  }

  private static List<OutputPart> joined(OutputParser parser, List<String> pieces) {
    List<OutputPart> joined = new ArrayList<>();
    for (String piece : pieces) {
      parser.accept(piece).forEach(part -> add(joined, part));
    }
    parser.end().forEach(part -> add(joined, part));
    return joined;
  }

  private static void add(List<OutputPart> joined, OutputPart part) {
    OutputPart last = joined.isEmpty() ? null : joined.getLast();
    if (last instanceof Content before && part instanceof Content after) {
      joined.set(joined.size() - 1, new Content(before.text() + after.text()));
    } else if (last instanceof Reasoning before && part instanceof Reasoning after) {
      joined.set(joined.size() - 1, new Reasoning(before.text() + after.text()));
    } else {
      joined.add(part);
    }
  }
}
