package dev.cloister.coordinator.routing.choice;

import dev.cloister.coordinator.routing.choice.Ask.Wait;
import java.util.Locale;

/**
 * When a candidate would have a request answered, term by term.
 *
 * @param cachedTokens of the prompt, those that it holds already
 */
public record Prediction(Candidate candidate, Ask ask, int cachedTokens) {
  /** A moment to wait: enough for the next request to come from wherever it waits. */
  static final double BRIEF_SECONDS = 2;

  public Prediction {
    cachedTokens = Math.clamp(cachedTokens, 0, ask.promptTokens());
  }

  /** Until it has a slot and its turn. */
  public double waitSeconds() {
    return candidate.waitSeconds();
  }

  /** Whether its queue takes no more, or is longer than the request may wait there. */
  public boolean full() {
    return candidate.full()
        || (ask.waits() == Wait.BRIEFLY && candidate.seenWaitSeconds() > BRIEF_SECONDS);
  }

  /** Until the model is loaded; 0 if it is. */
  public double loadSeconds() {
    return candidate.host().loadSeconds().orElse(0);
  }

  /** Of the prompt, those to compute. */
  public int uncachedTokens() {
    return ask.promptTokens() - cachedTokens;
  }

  /** From the slot to the first token. */
  public double promptSeconds() {
    return candidate.speed().startSeconds()
        + uncachedTokens() * candidate.speed().promptTokenSeconds();
  }

  /** Of this answer, at the load the node will have. */
  public double tokensPerSecond() {
    return candidate.speed().tokensPerSecond(candidate.answers());
  }

  /** From the first token to the last. */
  public double answerSeconds() {
    return ask.answerTokens() * candidate.speed().tokenSeconds(candidate.answers());
  }

  public double roundTripSeconds() {
    return candidate.roundTripSeconds();
  }

  /** Until the first token is there. */
  double firstTokenSeconds() {
    return waitSeconds() + loadSeconds() + promptSeconds() + roundTripSeconds();
  }

  /** Until the answer is complete: the sum of the terms. */
  public double seconds() {
    return waitSeconds() + loadSeconds() + promptSeconds() + answerSeconds() + roundTripSeconds();
  }

  /** For people: {@code desk: 0.21 s (waits 0.00, prompt 0.05, answer 0.16 at 310.0/s)}. */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%s: %.2f s (wait %.2f, %sprompt %.2f, answer %.2f at %.1f/s%s)%s",
        candidate.nodeName(),
        seconds(),
        waitSeconds(),
        loadSeconds() > 0 ? String.format(Locale.ROOT, "load %.2f, ", loadSeconds()) : "",
        promptSeconds(),
        answerSeconds(),
        tokensPerSecond(),
        candidate.speed().measured() ? "" : " assumed",
        candidate.ejected() ? ", ejected" : full() ? ", queue full" : "");
  }
}
