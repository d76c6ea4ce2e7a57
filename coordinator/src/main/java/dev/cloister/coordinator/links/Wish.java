package dev.cloister.coordinator.links;

import dev.cloister.coordinator.placement.Network.Way;
import java.util.List;
import java.util.Set;

/**
 * Between which nodes links matter now.
 *
 * @param nodes that may share a model, the most important ones first
 * @param rings the nodes of pipelines, the first stage first
 * @param rising nodes that are bringing a model up
 * @param doubtful ways that a ring did not close on
 */
public record Wish(
    List<String> nodes, List<List<String>> rings, Set<String> rising, Set<Way> doubtful) {
  /** No model is split, nor has to be. */
  public static final Wish NONE = new Wish(List.of(), List.of(), Set.of(), Set.of());

  public Wish {
    nodes = List.copyOf(nodes);
    rings = List.copyOf(rings);
    rising = Set.copyOf(rising);
    doubtful = Set.copyOf(doubtful);
  }
}
