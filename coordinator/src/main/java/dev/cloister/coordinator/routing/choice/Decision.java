package dev.cloister.coordinator.routing.choice;

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
 */
public record Decision(List<Prediction> predictions, int candidates) {
  /** Nothing to choose from. */
  public static final Decision NONE = new Decision(List.of(), 0);

  private static final int MOST_TOLD = 3;

  public Decision {
    predictions = List.copyOf(predictions);
  }

  /** The node that is done soonest; empty if there is none or all are full. */
  public Optional<Candidate> choice() {
    return predictions.isEmpty() || predictions.getFirst().candidate().full()
        ? Optional.empty()
        : Optional.of(predictions.getFirst().candidate());
  }

  /** Of those that have the model loaded, the one that is done soonest; empty likewise. */
  public Optional<Prediction> ready() {
    return loaded().filter(prediction -> !prediction.candidate().full()).findFirst();
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
