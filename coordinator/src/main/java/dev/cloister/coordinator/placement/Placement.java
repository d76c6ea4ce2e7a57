package dev.cloister.coordinator.placement;

import dev.cloister.coordinator.catalog.Model;
import java.util.Comparator;
import java.util.List;

/** Decides which whole models a node should have loaded. */
public final class Placement {
  private Placement() {}

  /** A model, and what an engine takes for all of it. */
  public record Need(Model model, StageMemory memory) {}

  /**
   * The models that fit the node, smallest first, until its memory is used up: the cluster serves
   * every model from as many nodes as can hold it.
   */
  public static List<Need> assign(Offer node, List<Need> needs) {
    Offer[] left = {node};
    return needs.stream()
        .sorted(
            Comparator.<Need>comparingLong(need -> need.memory().totalBytes())
                .thenComparing(need -> need.model().name()))
        .filter(
            need -> {
              boolean fits = left[0].holds(need.memory());
              left[0] = fits ? left[0].without(need.memory()) : left[0];
              return fits;
            })
        .toList();
  }
}
