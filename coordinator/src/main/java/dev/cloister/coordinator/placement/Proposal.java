package dev.cloister.coordinator.placement;

import java.util.List;
import java.util.Optional;

/**
 * How a model is best placed.
 *
 * @param plan empty: it cannot be, and {@code reason} says which memory is missing
 * @param alternatives others that were weighed, best first
 * @param reason one sentence
 */
public record Proposal(
    Optional<PipelinePlan> plan, List<PipelinePlan> alternatives, String reason) {
  public Proposal {
    alternatives = List.copyOf(alternatives);
  }
}
