package dev.cloister.coordinator.placement;

import dev.cloister.coordinator.catalog.Model;
import java.util.Comparator;
import java.util.List;

/** Decides which whole models fit a node together. */
public final class Placement {
  /** So that as many as possible fit. */
  public static final Comparator<Need> SMALLEST_FIRST =
      Comparator.<Need>comparingLong(need -> need.memory().totalBytes())
          .thenComparing(need -> need.model().name());

  private Placement() {}

  /** A model, and what an engine takes for all of it. */
  public record Need(Model model, StageMemory memory) {}

  /** Those that fit the node beside all that come before them. */
  public static List<Need> fill(Offer node, List<Need> needs) {
    Offer[] left = {node};
    return needs.stream()
        .filter(
            need -> {
              boolean fits = left[0].holds(need.memory());
              left[0] = fits ? left[0].without(need.memory()) : left[0];
              return fits;
            })
        .toList();
  }
}
