package dev.cloister.engine.generation;

/**
 * What an answer took.
 *
 * @param promptTokens tokens of the rendered prompt
 * @param cachedPromptTokens those of them that needed no computing
 * @param completionTokens tokens generated, the one that ends the answer included
 */
public record Usage(int promptTokens, int cachedPromptTokens, int completionTokens) {}
