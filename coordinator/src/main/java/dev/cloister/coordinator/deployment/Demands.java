package dev.cloister.coordinator.deployment;

import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.catalog.ModelContents;
import dev.cloister.coordinator.catalog.ModelLayout;
import dev.cloister.coordinator.placement.Demand;
import dev.cloister.coordinator.placement.StageMemory;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What models need, by what their files say. Thread-safe; a file is read once. */
final class Demands {
  private static final Logger log = LoggerFactory.getLogger(Demands.class);

  private final ModelContents contents;
  private final Map<String, Optional<ModelLayout>> layouts = new ConcurrentHashMap<>();

  /** By name: asked for each node, many times a second. */
  private final Map<String, Known> newest = new ConcurrentHashMap<>();

  private record Known(Model model, Optional<Demand> demand) {}

  Demands(ModelContents contents) {
    this.contents = contents;
  }

  /** Empty if the file says nothing that can be understood. */
  Optional<Demand> of(Model model) {
    @Nullable Known known = newest.get(model.name());
    if (known == null || !known.model().equals(model)) {
      known =
          new Known(
              model,
              layouts
                  .computeIfAbsent(model.sha256(), _ -> layout(model))
                  .map(layout -> Demand.of(model, layout)));
      newest.put(model.name(), known);
    }
    return known.demand();
  }

  private Optional<ModelLayout> layout(Model model) {
    try {
      return Optional.of(contents.layout(model));
    } catch (IOException e) {
      log.warn("model {} can be served whole only: {}", model.name(), e.getMessage());
      return Optional.empty();
    }
  }

  /** What an engine takes for all of the model. */
  StageMemory whole(Model model) {
    return of(model).map(Demand::whole).orElse(StageMemory.ofFile(model.sizeBytes()));
  }
}
