package dev.cloister.engine.generation.prompt;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What the model is to continue. */
public sealed interface Prompt {

  /**
   * A conversation, rendered with the model's own chat template; at least one message.
   *
   * @param tools at most {@value #MAX_TOOLS}, each name once
   */
  record Chat(List<ChatMessage> messages, List<Tool> tools, ToolChoice toolChoice)
      implements Prompt {

    /** The longest list of tools. */
    public static final int MAX_TOOLS = 128;

    public Chat {
      messages = List.copyOf(messages);
      tools = List.copyOf(tools);
      if (messages.isEmpty()) {
        throw new IllegalArgumentException("messages is empty (expected: at least one message)");
      }
      if (tools.size() > MAX_TOOLS) {
        throw new IllegalArgumentException(
            "tools: %d (expected: at most %d)".formatted(tools.size(), MAX_TOOLS));
      }
      Set<String> names = new HashSet<>();
      for (Tool tool : tools) {
        if (!names.add(tool.name())) {
          throw new IllegalArgumentException(
              "tools: %s is given twice (expected: each name once)".formatted(tool.name()));
        }
      }
      requireKnown(toolChoice, names);
    }

    /** A conversation without tools. */
    public Chat(List<ChatMessage> messages) {
      this(messages, List.of(), new ToolChoice.Auto());
    }

    private static void requireKnown(ToolChoice choice, Set<String> names) {
      switch (choice) {
        case ToolChoice.Required _ when names.isEmpty() ->
            throw new IllegalArgumentException(
                "tool_choice: required without tools (expected: tools to choose from)");
        case ToolChoice.Named(String name) when !names.contains(name) ->
            throw new IllegalArgumentException(
                "tool_choice: %s is not among the tools of the request".formatted(name));
        case ToolChoice.Auto _, ToolChoice.None _, ToolChoice.Required _, ToolChoice.Named _ -> {}
      }
    }
  }

  /** Text, given to the model as it is; not empty. */
  record Text(String text) implements Prompt {
    public Text {
      if (text.isEmpty()) {
        throw new IllegalArgumentException("text is empty (expected: at least one character)");
      }
    }

    @Override
    public String toString() {
      return "Text[length=" + text.length() + "]";
    }
  }
}
