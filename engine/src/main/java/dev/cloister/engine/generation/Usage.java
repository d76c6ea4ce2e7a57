package dev.cloister.engine.generation;

/** Tokens of the rendered prompt, and tokens generated, the one that ends the answer included. */
public record Usage(int promptTokens, int completionTokens) {}
