/**
 * What a model is to continue, with the tools it may call and the form its answer is to have. Start
 * with {@link dev.cloister.engine.generation.prompt.Prompt}.
 */
@NullMarked
package dev.cloister.engine.generation.prompt;

import org.jspecify.annotations.NullMarked;
