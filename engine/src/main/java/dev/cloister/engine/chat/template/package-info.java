/**
 * Renders a model's own chat template, which is written in Jinja, as Hugging Face transformers'
 * {@code apply_chat_template} does. Start with {@link
 * dev.cloister.engine.chat.template.ChatTemplate}.
 *
 * <p>The source goes through {@code Lexer} (white space control), {@code StatementParser} and
 * {@code ExpressionParser} to a tree of {@code Statement}s and {@code Expression}s that execute
 * themselves against a {@code Scope}. {@code Operators}, {@code Methods}, {@code Filters} and
 * {@code Builtins} hold what Python and Jinja offer to templates; {@code TextForm} writes values as
 * Python and JSON do. A template is untrusted: it reaches no Java object but these, and a {@code
 * Rendering} counts its work. Why this is no library: docs/decisions/0008-chat-templates.md.
 */
@NullMarked
package dev.cloister.engine.chat.template;

import org.jspecify.annotations.NullMarked;
