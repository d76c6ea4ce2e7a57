/**
 * What a model is to continue, with the tools it may call and the form its answer is to have. Start
 * with {@link dev.cloister.coordinator.inference.prompt.Prompt}.
 */
package dev.cloister.coordinator.inference.prompt;
