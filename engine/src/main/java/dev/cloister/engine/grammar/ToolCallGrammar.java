package dev.cloister.engine.grammar;

import dev.cloister.engine.chat.parsing.ToolCallSyntax;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Grammars that make a model call a tool: for {@code tool_choice} required, or a named tool. */
public final class ToolCallGrammar {

  /**
   * A tool the model may call.
   *
   * @param name not empty
   * @param parameters a JSON Schema of its arguments, an object; {@code {}} takes any object
   */
  public record Tool(String name, String parameters) {

    public Tool {
      if (name.isEmpty()) {
        throw new IllegalArgumentException("a tool has no name; give it one");
      }
    }
  }

  private ToolCallGrammar() {}

  /**
   * Forces a call of one of the tools; give just one to name it.
   *
   * @param parallel whether more calls may follow the first
   * @throws IllegalArgumentException a sentence that names the tool, and what its schema has that
   *     is wrong or not supported
   */
  public static Grammar of(List<Tool> tools, ToolCallSyntax syntax, boolean parallel) {
    if (tools.isEmpty()) {
      throw new IllegalArgumentException("a tool call was asked for, but no tools are given");
    }
    RuleBook book = new RuleBook();
    JsonRules json = new JsonRules(book);
    Set<String> names = new HashSet<>();
    List<String> calls = new ArrayList<>();
    for (Tool tool : tools) {
      if (!names.add(tool.name())) {
        throw new IllegalArgumentException(
            "tool %s is given twice; keep one".formatted(tool.name()));
      }
      calls.add(book.define(tool.name() + "-call", call(tool, syntax, json)));
    }
    String call = book.define("call", String.join(" | ", calls));
    String first =
        switch (syntax) {
          case HERMES, MISTRAL_NAMED, LLAMA3 -> call;
          case MISTRAL -> "\"[TOOL_CALLS]\" \" \"? \"[\" " + call;
        };
    String next =
        switch (syntax) {
          case HERMES -> "\"\\n\"? " + call;
          case LLAMA3 -> "\";\" \" \"? " + call;
          case MISTRAL -> json.comma() + " " + call;
          case MISTRAL_NAMED -> call;
        };
    String more = parallel ? " %s*".formatted(book.define("next-call", next)) : "";
    return book.grammar(first + more + (syntax == ToolCallSyntax.MISTRAL ? " \"]\"" : ""));
  }

  private static String call(Tool tool, ToolCallSyntax syntax, JsonRules json) {
    String arguments = arguments(tool, json);
    return switch (syntax) {
      case HERMES ->
          "\"<tool_call>\" \"\\n\"? %s \"\\n\"? \"</tool_call>\""
              .formatted(named(tool, "arguments", arguments, json));
      case LLAMA3 -> named(tool, "parameters", arguments, json);
      case MISTRAL -> named(tool, "arguments", arguments, json);
      case MISTRAL_NAMED ->
          "%s %s".formatted(RuleBook.literal("[TOOL_CALLS]" + tool.name() + "[ARGS]"), arguments);
    };
  }

  /** Space as in the templates' examples, as little choice as possible. */
  private static String named(Tool tool, String key, String arguments, JsonRules json) {
    String name = json.member(JsonRules.key("name"), JsonRules.key(tool.name()));
    return "\"{\" %s \",\" \" \"? %s \"}\""
        .formatted(name, json.member(JsonRules.key(key), arguments));
  }

  private static String arguments(Tool tool, JsonRules json) {
    try {
      return JsonSchemaGrammar.arguments(tool.parameters(), json);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "parameters of tool %s: %s".formatted(tool.name(), e.getMessage()), e);
    }
  }
}
