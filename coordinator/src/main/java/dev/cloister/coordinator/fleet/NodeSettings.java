package dev.cloister.coordinator.fleet;

import dev.cloister.coordinator.labels.Labels;
import java.util.Optional;

/**
 * What is remembered of a node beside that it joined, also when the coordinator starts anew.
 * Immutable.
 *
 * @param labels given by administrators
 * @param drain by an administrator
 */
public record NodeSettings(Labels labels, Optional<Drain> drain) {
  /** Nothing was said. */
  public static final NodeSettings NONE = new NodeSettings(Labels.NONE, Optional.empty());

  NodeSettings with(Optional<Drain> other) {
    return new NodeSettings(labels, other);
  }

  NodeSettings with(Labels other) {
    return new NodeSettings(other, drain);
  }
}
