/**
 * From a request to its answer: prompts are rendered and become tokens, tokens become text, and
 * text becomes what the caller asked for. Start with {@link
 * dev.cloister.engine.answering.BatchedModel}; {@link dev.cloister.engine.answering.PromptWriter}
 * is the way in, {@link dev.cloister.engine.answering.AnswerStream} the way out.
 */
@NullMarked
package dev.cloister.engine.answering;

import org.jspecify.annotations.NullMarked;
