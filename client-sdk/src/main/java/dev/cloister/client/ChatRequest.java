package dev.cloister.client;

import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * A conversation for a model to go on with.
 *
 * @param model name in the catalog
 * @param messages in order; at least one
 * @param maxTokens tokens to generate at most; 0 means as many as the context holds
 * @param temperature 0 (greedy) to 2; empty means the model's default
 */
public record ChatRequest(
    String model,
    List<ChatMessage> messages,
    int maxTokens,
    OptionalDouble temperature,
    OptionalLong seed) {

  public ChatRequest {
    messages = List.copyOf(messages);
    if (messages.isEmpty()) {
      throw new IllegalArgumentException("messages: none (expected: at least one)");
    }
    if (maxTokens < 0) {
      throw new IllegalArgumentException("maxTokens: " + maxTokens + " (expected: >= 0)");
    }
  }

  /** One question, with the model's defaults. */
  public static ChatRequest of(String model, String question) {
    return of(model, List.of(new ChatMessage(ChatMessage.Role.USER, question)));
  }

  /** A conversation, with the model's defaults. */
  public static ChatRequest of(String model, List<ChatMessage> messages) {
    return new ChatRequest(model, messages, 0, OptionalDouble.empty(), OptionalLong.empty());
  }

  /** The same, with another temperature. */
  public ChatRequest withTemperature(double value) {
    return new ChatRequest(model, messages, maxTokens, OptionalDouble.of(value), seed);
  }

  /** The same, with another limit. */
  public ChatRequest withMaxTokens(int limit) {
    return new ChatRequest(model, messages, limit, temperature, seed);
  }

  /** The same, with a seed: equal requests to the same engine get equal answers. */
  public ChatRequest withSeed(long value) {
    return new ChatRequest(model, messages, maxTokens, temperature, OptionalLong.of(value));
  }

  /** Without the messages: this may reach a log. */
  @Override
  public String toString() {
    return "ChatRequest[" + model + ", " + messages.size() + " messages]";
  }
}
