package dev.cloister.client.admin;

import java.util.OptionalInt;

/**
 * What a model is to be planned with; what is empty is as the model is configured.
 *
 * @param split over how many nodes, 1 for none but one; {@link #AUTO} leaves it to the coordinator
 * @param force whether a split over so many nodes may be one that is not proved
 * @param contextTokens tokens that one request may use
 * @param slots requests answered at the same time
 */
public record PlanQuestion(
    OptionalInt split, boolean force, OptionalInt contextTokens, OptionalInt slots) {
  /** Split only when no single node can hold it. */
  public static final int AUTO = 0;

  /** As the model is configured. */
  public static final PlanQuestion AS_CONFIGURED =
      new PlanQuestion(OptionalInt.empty(), false, OptionalInt.empty(), OptionalInt.empty());
}
