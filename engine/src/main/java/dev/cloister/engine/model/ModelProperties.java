package dev.cloister.engine.model;

/**
 * What is known of a model once it is loaded.
 *
 * @param architecture as GGUF's {@code general.architecture}: {@code llama}, {@code qwen2}
 * @param parameters how many
 * @param sizeBytes of the weights in memory
 * @param trainedContextTokens tokens it was trained for
 * @param embeddingLength numbers in a hidden state and in an embedding
 * @param recurrent whether its state cannot be cut back to a shorter prefix
 * @param pooling how it makes one vector of a text, where its file tells; else {@link Pooling#NONE}
 * @param library the native library and its version: {@code llama.cpp b4916}
 */
public record ModelProperties(
    String architecture,
    long parameters,
    long sizeBytes,
    int trainedContextTokens,
    int layers,
    int embeddingLength,
    boolean recurrent,
    Pooling pooling,
    String library) {}
