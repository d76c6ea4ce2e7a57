package dev.cloister.coordinator.inference;

import dev.cloister.coordinator.inference.prompt.AnswerFormat;
import dev.cloister.coordinator.inference.prompt.Prompt;
import java.util.List;
import java.util.OptionalInt;

/**
 * One generation, independent of the model and of where it runs.
 *
 * @param maxTokens tokens to generate at most, up to {@value #MAX_TOKENS}; 0 means as many as the
 *     context holds
 * @param stop the answer ends before the first of these; at most {@value #MAX_STOPS}, none empty
 * @param topLogprobs how many alternatives to tell with each token, 0 to {@value
 *     #MAX_TOP_LOGPROBS}; empty means that no probabilities are told
 */
public record Generation(
    Prompt prompt,
    Sampling sampling,
    int maxTokens,
    List<String> stop,
    AnswerFormat format,
    OptionalInt topLogprobs) {

  /** More than any context holds. */
  public static final int MAX_TOKENS = 1 << 24;

  /** How many stop sequences a request may name. */
  public static final int MAX_STOPS = 16;

  /** How many alternatives may be told with each token. */
  public static final int MAX_TOP_LOGPROBS = 20;

  public Generation {
    stop = List.copyOf(stop);
    InvalidGenerationException.requireWithin("max_tokens", maxTokens, MAX_TOKENS);
    if (stop.size() > MAX_STOPS) {
      throw new InvalidGenerationException(
          "stop", "stop has " + stop.size() + " sequences (expected: at most " + MAX_STOPS + ")");
    }
    if (stop.contains("")) {
      throw new InvalidGenerationException("stop", "a stop sequence is empty");
    }
    topLogprobs.ifPresent(
        count -> InvalidGenerationException.requireWithin("top_logprobs", count, MAX_TOP_LOGPROBS));
  }

  /** Free text. */
  public Generation(Prompt prompt, Sampling sampling, int maxTokens, List<String> stop) {
    this(prompt, sampling, maxTokens, stop, new AnswerFormat.Text(), OptionalInt.empty());
  }

  /** Whether only an engine with all features can answer it: tools, formats, probabilities. */
  public boolean needsFullEngine() {
    return topLogprobs.isPresent()
        || !(format instanceof AnswerFormat.Text)
        || (prompt instanceof Prompt.Chat chat && !chat.tools().isEmpty());
  }

  /** The same with a seed that is this much higher, if it has one at all. */
  public Generation withSeedPlus(int number) {
    return new Generation(
        prompt, sampling.withSeedPlus(number), maxTokens, stop, format, topLogprobs);
  }

  /** Neither prompt nor stop sequences: this may reach a log. */
  @Override
  public String toString() {
    return "Generation[prompt of "
        + prompt.characters()
        + " characters, maxTokens="
        + maxTokens
        + "]";
  }
}
