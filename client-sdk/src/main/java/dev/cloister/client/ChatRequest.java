package dev.cloister.client;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * A conversation for a model to go on with. Made with {@link #of} or {@link #builder}:
 *
 * <pre>{@code
 * Tool weather = Tool.of("weather", "Tells the weather of a city.",
 *     "{\"type\": \"object\", \"properties\": {\"city\": {\"type\": \"string\"}}}");
 * ChatRequest request =
 *     ChatRequest.builder("cloister-tiny").user("Does it rain in Bonn?").tool(weather).build();
 * ChatResponse answer = client.chat(request);
 * while (!answer.toolCalls().isEmpty()) {
 *   ChatRequest.Builder next = request.toBuilder().message(answer.message());
 *   for (Tool.Call call : answer.toolCalls()) {
 *     next.message(ChatMessage.toolResult(call, run(call)));
 *   }
 *   request = next.build();
 *   answer = client.chat(request);
 * }
 * }</pre>
 *
 * @param model name in the catalog
 * @param messages in order; at least one
 * @param maxTokens tokens to generate at most; 0 means as many as the context holds
 * @param temperature 0 (greedy) to 2; empty means the model's default
 * @param seed equal requests with equal seeds to the same engine get equal answers
 * @param tools what the model may call; each name once
 * @param topLogprobs how many alternatives to tell with each token, 0 to 20; empty means that no
 *     probabilities are told
 * @param timeout after which the call fails if its answer is not complete; empty means never
 */
public record ChatRequest(
    String model,
    List<ChatMessage> messages,
    int maxTokens,
    OptionalDouble temperature,
    OptionalLong seed,
    List<Tool> tools,
    Tool.Choice toolChoice,
    AnswerFormat format,
    OptionalInt topLogprobs,
    Optional<Duration> timeout) {

  /** The most alternatives that can be told with a token. */
  private static final int MAX_TOP_LOGPROBS = 20;

  public ChatRequest {
    messages = List.copyOf(messages);
    tools = List.copyOf(tools);
    if (messages.isEmpty()) {
      throw new IllegalArgumentException("messages: none (expected: at least one)");
    }
    if (maxTokens < 0) {
      throw new IllegalArgumentException("maxTokens: " + maxTokens + " (expected: >= 0)");
    }
    int top = topLogprobs.orElse(0);
    if (top < 0 || top > MAX_TOP_LOGPROBS) {
      throw new IllegalArgumentException(
          "topLogprobs: " + top + " (expected: 0 to " + MAX_TOP_LOGPROBS + ")");
    }
    if (timeout.isPresent() && !timeout.get().isPositive()) {
      throw new IllegalArgumentException("timeout: " + timeout.get() + " (expected: > 0)");
    }
  }

  /** One question, with the model's defaults. */
  public static ChatRequest of(String model, String question) {
    return builder(model).user(question).build();
  }

  /** A conversation, with the model's defaults. */
  public static ChatRequest of(String model, List<ChatMessage> messages) {
    return builder(model).messages(messages).build();
  }

  /** An empty conversation, to be filled. */
  public static Builder builder(String model) {
    return new Builder(model);
  }

  /** The same, to be changed and gone on with. */
  public Builder toBuilder() {
    Builder builder = new Builder(model).messages(messages).maxTokens(maxTokens);
    builder.temperature = temperature;
    builder.seed = seed;
    builder.tools.addAll(tools);
    builder.topLogprobs = topLogprobs;
    builder.timeout = timeout;
    return builder.toolChoice(toolChoice).format(format);
  }

  /** The same, with another temperature. */
  public ChatRequest withTemperature(double value) {
    return toBuilder().temperature(value).build();
  }

  /** The same, with another limit. */
  public ChatRequest withMaxTokens(int limit) {
    return toBuilder().maxTokens(limit).build();
  }

  /** The same, with a seed: equal requests to the same engine get equal answers. */
  public ChatRequest withSeed(long value) {
    return toBuilder().seed(value).build();
  }

  /** Without the messages: this may reach a log. */
  @Override
  public String toString() {
    return "ChatRequest[" + model + ", " + messages.size() + " messages]";
  }

  /** Makes a request step by step. Not thread-safe; may go on after {@link #build}. */
  public static final class Builder {
    private final String model;
    private final List<ChatMessage> messages = new ArrayList<>();
    private final List<Tool> tools = new ArrayList<>();
    private int maxTokens;
    private OptionalDouble temperature = OptionalDouble.empty();
    private OptionalLong seed = OptionalLong.empty();
    private Tool.Choice toolChoice = Tool.Choice.auto();
    private AnswerFormat format = AnswerFormat.text();
    private OptionalInt topLogprobs = OptionalInt.empty();
    private Optional<Duration> timeout = Optional.empty();

    private Builder(String model) {
      this.model = model;
    }

    /** Adds what the model is told first. */
    public Builder system(String content) {
      return message(ChatMessage.system(content));
    }

    /** Adds what a person says. */
    public Builder user(String content) {
      return message(ChatMessage.user(content));
    }

    /** Adds a turn. */
    public Builder message(ChatMessage message) {
      messages.add(message);
      return this;
    }

    /** Adds turns. */
    public Builder messages(List<ChatMessage> more) {
      messages.addAll(more);
      return this;
    }

    /** Tokens to generate at most; 0 means as many as the context holds. */
    public Builder maxTokens(int limit) {
      maxTokens = limit;
      return this;
    }

    /** 0 (greedy) to 2. */
    public Builder temperature(double value) {
      temperature = OptionalDouble.of(value);
      return this;
    }

    /** Equal requests with equal seeds to the same engine get equal answers. */
    public Builder seed(long value) {
      seed = OptionalLong.of(value);
      return this;
    }

    /** Adds a tool the model may call. */
    public Builder tool(Tool tool) {
      tools.add(tool);
      return this;
    }

    /** Whether and which tools the model calls. */
    public Builder toolChoice(Tool.Choice choice) {
      toolChoice = choice;
      return this;
    }

    /** What the answer must look like. */
    public Builder format(AnswerFormat value) {
      format = value;
      return this;
    }

    /**
     * Asks for the probabilities of tokens.
     *
     * @param alternatives how many to tell with each token, 0 to 20
     */
    public Builder topLogprobs(int alternatives) {
      topLogprobs = OptionalInt.of(alternatives);
      return this;
    }

    /** After which the call fails if its answer is not complete. */
    public Builder timeout(Duration value) {
      timeout = Optional.of(value);
      return this;
    }

    /**
     * The request.
     *
     * @throws IllegalArgumentException if there is no message or a value is out of range
     */
    public ChatRequest build() {
      return new ChatRequest(
          model,
          messages,
          maxTokens,
          temperature,
          seed,
          tools,
          toolChoice,
          format,
          topLogprobs,
          timeout);
    }
  }
}
