package dev.cloister.engine.generation;

import dev.cloister.engine.generation.prompt.AnswerFormat;
import dev.cloister.engine.generation.prompt.Prompt;
import java.util.List;
import java.util.OptionalInt;

/**
 * One answer that is asked for.
 *
 * @param maxTokens tokens to generate at most; 0 means as many as the context holds
 * @param stop the answer ends before the first of these; at most {@value #MAX_STOPS}, none empty
 * @param topLogprobs how many alternatives to tell with each token, 0 to {@value
 *     #MAX_TOP_LOGPROBS}; empty means that no probabilities are told
 * @param tenant whose request it is: what was computed for one tenant is never used for another
 * @param beginning what was made of the answer before. Its logprobs are not told again; where a
 *     stop sequence held back a part of a token, that token's are not told at all. A seed does not
 *     make a continued answer the one it would have been: how often a sampler has drawn depends on
 *     the probabilities it saw, which are not there any more.
 * @param marks name beginnings of the prompt, shortest first; empty where nobody wants to know
 */
public record Generation(
    Prompt prompt,
    Sampling sampling,
    int maxTokens,
    List<String> stop,
    AnswerFormat format,
    OptionalInt topLogprobs,
    String tenant,
    Beginning beginning,
    List<Long> marks) {

  /** The longest list of stop sequences. */
  public static final int MAX_STOPS = 16;

  /** The longest list of alternatives. */
  public static final int MAX_TOP_LOGPROBS = 20;

  public Generation {
    stop = List.copyOf(stop);
    marks = List.copyOf(marks);
    if (maxTokens < 0) {
      throw new IllegalArgumentException("max_tokens: " + maxTokens + " (expected: 0 or more)");
    }
    if (stop.size() > MAX_STOPS) {
      throw new IllegalArgumentException(
          "stop: %d sequences (expected: at most %d)".formatted(stop.size(), MAX_STOPS));
    }
    if (stop.contains("")) {
      throw new IllegalArgumentException("stop: a sequence is empty (expected: some text)");
    }
    if (topLogprobs.isPresent()
        && (topLogprobs.getAsInt() < 0 || topLogprobs.getAsInt() > MAX_TOP_LOGPROBS)) {
      throw new IllegalArgumentException(
          "top_logprobs: %d (expected: 0 to %d)"
              .formatted(topLogprobs.getAsInt(), MAX_TOP_LOGPROBS));
    }
    if (maxTokens > 0 && beginning.tokens().size() > maxTokens) {
      throw new IllegalArgumentException(
          "resume: %d tokens (expected: at most max_tokens, %d)"
              .formatted(beginning.tokens().size(), maxTokens));
    }
  }

  /** An answer that begins here. */
  public Generation(
      Prompt prompt,
      Sampling sampling,
      int maxTokens,
      List<String> stop,
      AnswerFormat format,
      OptionalInt topLogprobs,
      String tenant) {
    this(prompt, sampling, maxTokens, stop, format, topLogprobs, tenant, Beginning.NONE, List.of());
  }

  /** Free text for nobody in particular. */
  public Generation(Prompt prompt, Sampling sampling, int maxTokens, List<String> stop) {
    this(prompt, sampling, maxTokens, stop, new AnswerFormat.Text(), OptionalInt.empty(), "");
  }

  @Override
  public String toString() {
    return "Generation[prompt=%s, maxTokens=%d, stops=%d]"
        .formatted(prompt, maxTokens, stop.size());
  }
}
