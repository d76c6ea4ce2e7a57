package dev.cloister.coordinator.fleet;

import dev.cloister.coordinator.labels.Labels;
import java.util.List;
import java.util.Optional;

/**
 * What is remembered of a node beside that it joined, also when the coordinator starts anew.
 * Immutable.
 *
 * @param labels given by administrators
 * @param drain by an administrator
 * @param wake by what it is woken when it sleeps
 */
public record NodeSettings(Labels labels, Optional<Drain> drain, List<WakeAddress> wake) {
  /** Nothing was said. */
  public static final NodeSettings NONE =
      new NodeSettings(Labels.NONE, Optional.empty(), List.of());

  public NodeSettings {
    wake = List.copyOf(wake);
  }

  NodeSettings with(Optional<Drain> other) {
    return new NodeSettings(labels, other, wake);
  }

  NodeSettings with(Labels other) {
    return new NodeSettings(other, drain, wake);
  }

  NodeSettings with(List<WakeAddress> other) {
    return new NodeSettings(labels, drain, other);
  }
}
