package dev.cloister.engine.answering;

import dev.cloister.engine.chat.parsing.OutputParser;
import dev.cloister.engine.chat.parsing.ReasoningSyntax;
import dev.cloister.engine.chat.parsing.ToolCallSyntax;
import dev.cloister.engine.chat.template.ChatTemplate;
import dev.cloister.engine.chat.template.TemplateException;
import dev.cloister.engine.generation.FailureCode;
import dev.cloister.engine.generation.Generation;
import dev.cloister.engine.generation.RequestException;
import dev.cloister.engine.generation.prompt.AnswerFormat;
import dev.cloister.engine.generation.prompt.ChatMessage;
import dev.cloister.engine.generation.prompt.Prompt;
import dev.cloister.engine.generation.prompt.Tool;
import dev.cloister.engine.generation.prompt.ToolChoice;
import dev.cloister.engine.grammar.Grammar;
import dev.cloister.engine.grammar.JsonSchemaGrammar;
import dev.cloister.engine.grammar.ToolCallGrammar;
import dev.cloister.engine.model.Vocabulary;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Makes of a request the tokens to continue, and what its answer has to be like. Thread-safe. */
final class PromptWriter {

  /** For a model whose file has no template, as llama.cpp does it. */
  private static final String CHATML =
      "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' +"
          + " message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
          + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

  private final Vocabulary vocabulary;
  private final String source;
  private final Clock clock;
  private final ControlMarkup markup;
  private @Nullable ChatTemplate template;

  /**
   * A request in the engine's terms.
   *
   * @param tokens to be continued
   * @param parser takes the answer apart
   */
  @SuppressWarnings("ArrayRecordComponent") // Handed over to its one reader; nobody compares it.
  record Written(int[] tokens, Optional<String> grammar, OutputParser parser) {}

  /**
   * @param source the Jinja text of the model's chat template; empty if it has none
   */
  PromptWriter(Vocabulary vocabulary, String source, Clock clock) {
    this.vocabulary = vocabulary;
    this.source = source.isEmpty() ? CHATML : source;
    this.clock = clock;
    this.markup = new ControlMarkup(vocabulary);
  }

  /**
   * Writes the prompt.
   *
   * @throws RequestException where the request is wrong, or the template refuses it
   */
  Written write(Generation generation) throws RequestException {
    try {
      return switch (generation.prompt()) {
        case Prompt.Text(String text) ->
            new Written(
                vocabulary.tokenize(text, true, true),
                grammar(generation.format()),
                new OutputParser(Optional.empty(), ReasoningSyntax.NONE, Set.of()));
        case Prompt.Chat chat -> chat(chat, generation.format());
      };
    } catch (IllegalArgumentException | TemplateException e) {
      throw refused("prompt", e);
    }
  }

  private static RequestException refused(String parameter, RuntimeException why) {
    return new RequestException(
        FailureCode.INVALID_REQUEST, parameter, String.valueOf(why.getMessage()));
  }

  private Written chat(Prompt.Chat chat, AnswerFormat format) throws RequestException {
    // Tools that must not be called are not shown.
    List<Tool> tools = chat.toolChoice() instanceof ToolChoice.None ? List.of() : chat.tools();
    Optional<ToolCallSyntax> syntax = ToolCallSyntax.of(source);
    if (!tools.isEmpty() && syntax.isEmpty()) {
      throw new RequestException(
          FailureCode.INVALID_REQUEST,
          "tools",
          "this model's chat template has no place for tools; leave them out, or use another"
              + " model");
    }
    if (!tools.isEmpty() && !(format instanceof AnswerFormat.Text)) {
      throw new RequestException(
          FailureCode.INVALID_REQUEST,
          format.parameter(),
          "response_format and tools exclude each other (expected: one of them)");
    }
    String rendered = render(chat.messages(), tools);
    Optional<String> grammar =
        tools.isEmpty() ? grammar(format) : grammar(chat.toolChoice(), tools, syntax.orElseThrow());
    // A grammar leaves no place to think aloud.
    ReasoningSyntax reasoning =
        grammar.isPresent() ? ReasoningSyntax.NONE : ReasoningSyntax.of(source, rendered);
    Set<String> names = tools.stream().map(Tool::name).collect(Collectors.toSet());
    return new Written(tokens(rendered), grammar, new OutputParser(syntax, reasoning, names));
  }

  /** The tokenizer adds the beginning of a text, which templates tend to write, too. */
  private int[] tokens(String rendered) {
    String begin = vocabulary.beginText();
    boolean twice = !begin.isEmpty() && rendered.startsWith(begin) && addsBegin();
    return markup.tokenize(twice ? rendered.substring(begin.length()) : rendered, true);
  }

  private boolean addsBegin() {
    return vocabulary.tokenize("", true, false).length > 0;
  }

  private String render(List<ChatMessage> messages, List<Tool> tools) throws RequestException {
    try {
      return rendered(messages, tools);
    } catch (TemplateException e) {
      List<ChatMessage> merged = systemMerged(messages);
      if (merged.equals(messages)) {
        throw e;
      }
      return rendered(merged, tools);
    }
  }

  /**
   * Some templates (Gemma's, Mistral's first) refuse system messages; such a one then stands at the
   * beginning of the user's first message, as their makers advise.
   */
  private static List<ChatMessage> systemMerged(List<ChatMessage> messages) {
    if (messages.size() < 2
        || messages.getFirst().role() != ChatMessage.Role.SYSTEM
        || messages.get(1).role() != ChatMessage.Role.USER) {
      return messages;
    }
    List<ChatMessage> merged = new ArrayList<>(messages.subList(1, messages.size()));
    merged.set(
        0,
        new ChatMessage(
            ChatMessage.Role.USER,
            messages.getFirst().content() + "\n\n" + messages.get(1).content()));
    return merged;
  }

  private String rendered(List<ChatMessage> messages, List<Tool> tools) throws RequestException {
    Map<String, @Nullable Object> variables = new HashMap<>();
    variables.put("messages", Conversation.messages(messages, markup::defused));
    variables.put("tools", tools.isEmpty() ? null : definitions(tools));
    variables.put("add_generation_prompt", true);
    variables.put("bos_token", vocabulary.beginText());
    variables.put("eos_token", vocabulary.endText());
    return template().render(variables);
  }

  private List<Map<String, Object>> definitions(List<Tool> tools) throws RequestException {
    try {
      return Conversation.tools(tools, markup::defused);
    } catch (IllegalArgumentException e) {
      throw refused("tools", e);
    }
  }

  private synchronized ChatTemplate template() {
    if (template == null) {
      template = ChatTemplate.parse(source, clock);
    }
    return template;
  }

  private static Optional<String> grammar(AnswerFormat format) throws RequestException {
    try {
      return switch (format) {
        case AnswerFormat.Text() -> Optional.empty();
        case AnswerFormat.JsonObject() -> Optional.of(JsonSchemaGrammar.anyObject().text());
        case AnswerFormat.JsonSchema(String schema) ->
            Optional.of(JsonSchemaGrammar.of(schema).text());
        case AnswerFormat.Grammar(String gbnf) -> Optional.of(Grammar.parse(gbnf).text());
      };
    } catch (IllegalArgumentException e) {
      throw refused(format.parameter(), e);
    }
  }

  private static Optional<String> grammar(
      ToolChoice choice, List<Tool> tools, ToolCallSyntax syntax) throws RequestException {
    try {
      return switch (choice) {
        case ToolChoice.Auto(), ToolChoice.None() -> Optional.empty();
        case ToolChoice.Required() -> Optional.of(calls(tools, syntax));
        case ToolChoice.Named(String name) ->
            Optional.of(calls(tools.stream().filter(t -> t.name().equals(name)).toList(), syntax));
      };
    } catch (IllegalArgumentException e) {
      throw refused("tools", e);
    }
  }

  private static String calls(List<Tool> tools, ToolCallSyntax syntax) {
    return ToolCallGrammar.of(
            tools.stream()
                .map(t -> new ToolCallGrammar.Tool(t.name(), Conversation.parameters(t)))
                .toList(),
            syntax,
            false)
        .text();
  }
}
