package dev.cloister.coordinator.fleet;

import java.util.Optional;

/**
 * What is remembered of a node beside that it joined, also when the coordinator starts anew.
 * Immutable.
 *
 * @param drain by an administrator
 */
public record NodeSettings(Optional<Drain> drain) {
  /** Nothing was said. */
  public static final NodeSettings NONE = new NodeSettings(Optional.empty());

  NodeSettings with(Optional<Drain> other) {
    return new NodeSettings(other);
  }
}
