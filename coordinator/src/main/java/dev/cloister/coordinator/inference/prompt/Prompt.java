package dev.cloister.coordinator.inference.prompt;

import dev.cloister.coordinator.inference.InvalidGenerationException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What the model is to go on from. */
public sealed interface Prompt {

  /** UTF-16 units of all its text: the measure of a prompt that no tokenizer has seen yet. */
  int characters();

  /**
   * A conversation, rendered with the model's own chat template; at least one message.
   *
   * @param tools at most {@value #MAX_TOOLS}, each name once
   */
  record Chat(List<ChatMessage> messages, List<Tool> tools, ToolChoice toolChoice)
      implements Prompt {

    /** How many tools a request may offer. */
    public static final int MAX_TOOLS = 128;

    public Chat {
      messages = List.copyOf(messages);
      tools = List.copyOf(tools);
      if (messages.isEmpty()) {
        throw new InvalidGenerationException(
            "messages", "messages is empty (expected: at least one message)");
      }
      if (tools.size() > MAX_TOOLS) {
        throw new InvalidGenerationException(
            "tools", "tools has " + tools.size() + " tools (expected: at most " + MAX_TOOLS + ")");
      }
      Set<String> names = new HashSet<>();
      for (Tool tool : tools) {
        if (!names.add(tool.name())) {
          throw new InvalidGenerationException(
              "tools", "tools names " + tool.name() + " twice (expected: each name once)");
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
            throw new InvalidGenerationException(
                "tool_choice", "tool_choice is required but there are no tools to choose from");
        case ToolChoice.Named(String name) when !names.contains(name) ->
            throw new InvalidGenerationException(
                "tool_choice", "tool_choice names a tool that is not among tools");
        case ToolChoice.Auto _, ToolChoice.None _, ToolChoice.Required _, ToolChoice.Named _ -> {}
      }
    }

    @Override
    public int characters() {
      return messages.stream().mapToInt(ChatMessage::characters).sum()
          + tools.stream().mapToInt(tool -> tool.json().length()).sum();
    }
  }

  /** Text given to the model as it is. */
  record Text(String text) implements Prompt {
    public Text {
      if (text.isEmpty()) {
        throw new InvalidGenerationException("prompt", "prompt is empty");
      }
    }

    @Override
    public int characters() {
      return text.length();
    }
  }
}
