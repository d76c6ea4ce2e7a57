package dev.cloister.coordinator.routing;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Where a request goes, with every term that led there.
 *
 * @param predictions of all candidates, the soonest first; those that are full stand last
 */
public record Decision(List<Prediction> predictions) {

  public Decision {
    predictions = List.copyOf(predictions);
  }

  /**
   * One candidate's terms.
   *
   * @param tokens still to be generated there, this request's included
   * @param tokensPerSecond measured, or assumed as {@code measured} says
   * @param seconds until the answer is complete
   * @param full whether its queue takes no more
   */
  public record Prediction(
      Candidate candidate,
      long tokens,
      double tokensPerSecond,
      boolean measured,
      double seconds,
      boolean full) {}

  /** The node that is done soonest; empty if there is none or all are full. */
  public Optional<Candidate> choice() {
    return predictions.stream()
        .filter(prediction -> !prediction.full())
        .map(Prediction::candidate)
        .findFirst();
  }

  /** Why, for people: {@code desk: 64 tokens at 310.0/s = 0.21 s; rack: ...}. */
  public String reason() {
    StringBuilder text = new StringBuilder();
    for (Prediction prediction : predictions) {
      text.append(text.isEmpty() ? "" : "; ")
          .append(
              String.format(
                  Locale.ROOT,
                  "%s: %d tokens at %.1f/s%s = %.2f s%s",
                  prediction.candidate().nodeName(),
                  prediction.tokens(),
                  prediction.tokensPerSecond(),
                  prediction.measured() ? "" : " (assumed)",
                  prediction.seconds(),
                  prediction.full() ? ", queue full" : ""));
    }
    return text.isEmpty() ? "no node has the model ready" : text.toString();
  }
}
