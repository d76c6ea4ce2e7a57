package dev.cloister.engine.model;

/**
 * How likely a token was, and the most likely ones.
 *
 * @param logprob natural logarithm of the token's probability
 * @param topTokens most likely first
 * @param topLogprobs of each of them
 */
@SuppressWarnings("ArrayRecordComponent") // A value on its way; nobody compares it.
public record TokenProbabilities(float logprob, int[] topTokens, float[] topLogprobs) {}
