package dev.cloister.engine.generation;

/**
 * What a loaded model offers.
 *
 * @param contextTokens tokens that one request may use, prompt and answer together
 * @param slots requests answered at the same time
 * @param engine the native library and its version
 */
public record ModelFacts(int contextTokens, int slots, String engine) {}
