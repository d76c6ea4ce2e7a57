package dev.cloister.coordinator.routing.choice;

import java.util.OptionalDouble;

/**
 * A node as far as one model is concerned.
 *
 * @param kind of machine: nodes of one kind are expected to be about as fast
 * @param slots requests it answers at the same time
 * @param allFeatures whether its engine has tools, formats and probabilities
 * @param staged whether it is the first of several nodes that hold the model between them
 * @param loadSeconds until the model would be loaded there; empty if it is
 */
public record Host(
    String nodeId,
    String nodeName,
    String kind,
    int slots,
    boolean allFeatures,
    boolean staged,
    OptionalDouble loadSeconds) {
  public Host {
    if (slots < 1) {
      throw new IllegalArgumentException("slots: " + slots + " (expected: >= 1)");
    }
  }

  /** Whether it can answer now. */
  public boolean isLoaded() {
    return loadSeconds.isEmpty();
  }
}
