/**
 * A model's answer taken apart while it is written: text, reasoning, tool calls. Start with {@link
 * dev.cloister.engine.chat.parsing.OutputParser}; {@link
 * dev.cloister.engine.chat.parsing.ToolCallSyntax} and {@link
 * dev.cloister.engine.chat.parsing.ReasoningSyntax} say what a model's chat template makes it
 * write.
 */
@NullMarked
package dev.cloister.engine.chat.parsing;

import org.jspecify.annotations.NullMarked;
