package dev.cloister.engine.chat.template;

import dev.cloister.engine.chat.template.Scope.Rendering;
import dev.cloister.engine.chat.template.TemplateException.Fault;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A model's own chat template, rendered as {@code apply_chat_template} of Hugging Face transformers
 * renders it: jinja2's sandbox with {@code trim_blocks}, {@code lstrip_blocks} and loop controls,
 * the functions {@code raise_exception} and {@code strftime_now}, a {@code tojson} that escapes no
 * HTML, and the tag {@code generation}.
 *
 * <p>Immutable and thread-safe. A template is untrusted input: it reaches nothing but its
 * variables, and one that loops, recurses or grows without end fails.
 */
public final class ChatTemplate {

  private final Statement.Block body;
  private final Clock clock;

  private ChatTemplate(Statement.Block body, Clock clock) {
    this.body = body;
    this.clock = clock;
  }

  /**
   * @param source the template as the model's file holds it
   * @param clock what {@code strftime_now} tells, in the clock's zone
   * @throws TemplateException for a template that is no Jinja, with the line and what is wrong
   */
  public static ChatTemplate parse(String source, Clock clock) {
    int[] line = {1};
    try {
      return new ChatTemplate(
          new StatementParser(Lexer.tokens(source, line), line).template(), clock);
    } catch (Fault fault) {
      throw new TemplateException(
          "the model's chat template is malformed at line %d: %s"
              .formatted(line[0], fault.getMessage()));
    } catch (StackOverflowError deep) {
      throw new TemplateException(
          "the model's chat template is malformed at line %d: nested too deeply"
              .formatted(line[0]));
    }
  }

  /**
   * @param variables by name; a value is null, a {@link Boolean}, {@link Long}, {@link Double},
   *     {@link String}, {@link List} or {@link Map} with string keys, whose order is kept; neither
   *     is changed
   * @throws TemplateException if the template refuses the messages (its own words are in the
   *     message), fails, or exceeds its allowance of work
   */
  public String render(Map<String, ? extends @Nullable Object> variables) {
    Rendering rendering = new Rendering(clock);
    StringBuilder out = new StringBuilder();
    try {
      body.execute(Scope.root(rendering, variables), out);
      return out.toString();
    } catch (Fault fault) {
      throw new TemplateException(
          fault.refusal()
              ? "the model's chat template refuses the messages: " + fault.getMessage()
              : "the model's chat template failed at line %d: %s"
                  .formatted(rendering.line(), fault.getMessage()));
    } catch (StackOverflowError deep) {
      throw new TemplateException(
          "the model's chat template failed at line %d: nested too deeply"
              .formatted(rendering.line()));
    }
  }
}
