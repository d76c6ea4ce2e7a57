/**
 * Grammars that keep a model's answer in a form: a JSON Schema, any JSON object, a call of a tool.
 * They are written in GBNF, llama.cpp's grammar language. Start with {@link
 * dev.cloister.engine.grammar.Grammar}, which every grammar passes before native code sees it; then
 * {@link dev.cloister.engine.grammar.JsonSchemaGrammar} and {@link
 * dev.cloister.engine.grammar.ToolCallGrammar} make them.
 */
@NullMarked
package dev.cloister.engine.grammar;

import org.jspecify.annotations.NullMarked;
