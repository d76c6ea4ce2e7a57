package dev.cloister.agent.supervisor;

/**
 * A model to serve.
 *
 * @param sha256 of its file
 * @param contextTokens tokens per request; 0 means what the model was trained for
 * @param slots requests answered at the same time
 */
public record ModelSpec(String name, String sha256, long sizeBytes, int contextTokens, int slots) {}
