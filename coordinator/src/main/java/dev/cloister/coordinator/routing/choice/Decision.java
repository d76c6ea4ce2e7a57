package dev.cloister.coordinator.routing.choice;

import dev.cloister.coordinator.routing.choice.Ask.Wait;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Where a request goes, with what led there.
 *
 * @param predictions of the best candidates, the soonest first; those that are full stand behind
 *     them, and those that are ejected last
 * @param candidates how many there were, those that a rule removed included
 * @param fullSeconds when the best one would be done of those whose queues take no more; infinite
 *     if there is none
 */
public record Decision(List<Prediction> predictions, int candidates, double fullSeconds) {
  /** Nothing to choose from. */
  public static final Decision NONE = new Decision(List.of(), 0, Double.POSITIVE_INFINITY);

  private static final int MOST_TOLD = 3;

  public Decision {
    predictions = List.copyOf(predictions);
  }

  /**
   * Of those that have the model loaded, the one that is done soonest; empty if there is none, all
   * are full, or the request had better wait for one that is.
   */
  public Optional<Prediction> ready() {
    return loaded()
        .filter(prediction -> !prediction.full())
        .findFirst()
        .filter(
            prediction ->
                prediction.ask().waits() != Wait.FOR_THE_BEST
                    || prediction.seconds() < fullSeconds);
  }

  private Stream<Prediction> loaded() {
    return predictions.stream().filter(prediction -> prediction.candidate().host().isLoaded());
  }

  /** Whether some candidate has the model loaded. */
  public boolean hasLoaded() {
    return loaded().findAny().isPresent();
  }

  /**
   * The node that is to load the model: where no other has it, or it would be done before those
   * that have it.
   *
   * @param queuedSeconds that requests wait before one of those takes them
   */
  public Optional<Candidate> toLoad(double queuedSeconds) {
    double loaded =
        loaded().mapToDouble(Prediction::seconds).min().orElse(Double.POSITIVE_INFINITY);
    return predictions.stream()
        .filter(prediction -> !prediction.candidate().host().isLoaded())
        .findFirst()
        .filter(prediction -> prediction.seconds() < loaded + queuedSeconds)
        .map(Prediction::candidate);
  }

  /** Whether candidates have the model loaded, and all of them are ejected for their failures. */
  boolean isOfEjectedOnly() {
    return hasLoaded() && loaded().allMatch(prediction -> prediction.candidate().ejected());
  }

  /** Why, for people: the best candidates with their terms. */
  @Override
  public String toString() {
    if (predictions.isEmpty()) {
      return "no node has the model ready";
    }
    String told =
        predictions.stream()
            .limit(MOST_TOLD)
            .map(Prediction::toString)
            .collect(Collectors.joining("; "));
    int others = candidates - Math.min(MOST_TOLD, predictions.size());
    return others == 0 ? told : told + "; and " + others + " more";
  }
}
