package dev.cloister.bench.cluster;

import java.util.Map;

/**
 * What is asked, greedily, so that the answer is always the same.
 *
 * @param text of the one message of a chat
 * @param maxTokens of the answer
 * @param logitBias by token, such as of one that would end the answer
 */
record Question(String model, String text, int maxTokens, Map<Integer, Float> logitBias) {
  Question {
    logitBias = Map.copyOf(logitBias);
  }

  Question withMaxTokens(int tokens) {
    return new Question(model, text, tokens, logitBias);
  }
}
