package dev.cloister.client;

import java.time.Instant;
import java.util.List;

/**
 * Why a request went to a node. One that is moved has a decision for each node.
 *
 * @param tokensBefore tokens of the answer that nodes made before that were lost
 * @param promptTokens that the prompt was expected to have
 * @param answerTokens that the answer was expected to need
 * @param candidates nodes that have the model, or may get it
 * @param predictions of the best of them, the soonest first, those with a full queue behind them,
 *     and those that are ejected last; the first one that has the model loaded was chosen
 */
public record RoutingDecision(
    Instant at,
    String model,
    int tokensBefore,
    int promptTokens,
    int answerTokens,
    int candidates,
    List<Prediction> predictions) {

  public RoutingDecision {
    predictions = List.copyOf(predictions);
  }

  /**
   * When a node would have completed the answer.
   *
   * @param seconds the sum of the five terms that follow
   * @param waitSeconds for a slot, and for prompts that come before
   * @param loadSeconds of the model; 0 if it is loaded
   * @param promptSeconds to the first token
   * @param answerSeconds from the first token to the last
   * @param cachedTokens of the prompt, those that the node holds already
   * @param tokensPerSecond of this answer, at the load that the node would have
   * @param measured whether the speeds were seen there; otherwise they are assumed
   * @param active requests that it had, of which it answers {@code slots} at the same time
   * @param full whether it takes no more
   * @param limit requests it may have at once; 0 while it is ejected because it failed, request
   *     after request
   */
  public record Prediction(
      String nodeId,
      String nodeName,
      double seconds,
      double waitSeconds,
      double loadSeconds,
      double promptSeconds,
      double answerSeconds,
      double roundTripSeconds,
      int cachedTokens,
      double promptTokensPerSecond,
      double tokensPerSecond,
      boolean measured,
      int active,
      int slots,
      boolean full,
      int limit) {}
}
