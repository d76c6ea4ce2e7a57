package dev.cloister.coordinator.identity;

import dev.cloister.coordinator.labels.Labels;
import java.time.Instant;

/**
 * An API key as the coordinator keeps it: without the secret.
 *
 * @param required labels that a node must have to see its requests
 * @param weight its share where callers have to wait, in relation to others'
 */
public record ApiKey(
    String id, String name, Instant createdAt, boolean revoked, Labels required, double weight) {
  private static final double LEAST_WEIGHT = 0.01;
  private static final double MOST_WEIGHT = 100;

  /**
   * @throws IllegalArgumentException if the weight is out of range; the message is one sentence
   */
  public ApiKey {
    requireWeight(weight);
  }

  static void requireWeight(double weight) {
    if (!(weight >= LEAST_WEIGHT && weight <= MOST_WEIGHT)) {
      throw new IllegalArgumentException("weight: " + weight + " (expected: 0.01 to 100)");
    }
  }
}
