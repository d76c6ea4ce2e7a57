package dev.cloister.engine.llamacpp.jni;

/**
 * How a model is loaded.
 *
 * @param contextTokens tokens that one request may use
 * @param slots requests answered at the same time
 * @param threads threads that compute; 0 leaves it to llama.cpp
 * @param addsBeginToken whether the tokenizer puts a beginning-of-sequence token before a prompt,
 *     which java-llama.cpp does not tell
 */
public record JniOptions(int contextTokens, int slots, int threads, boolean addsBeginToken) {}
