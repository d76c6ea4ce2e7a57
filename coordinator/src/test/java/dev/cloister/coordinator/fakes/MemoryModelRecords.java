package dev.cloister.coordinator.fakes;

import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.catalog.ModelOptions;
import dev.cloister.coordinator.catalog.ModelRecords;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Models that are forgotten. */
public final class MemoryModelRecords implements ModelRecords {
  private final Map<String, Model> models = new TreeMap<>();

  /** Holds models of these names, whose files do not exist. */
  public MemoryModelRecords(String... names) {
    for (String name : names) {
      put(model(name, 1_000_000));
    }
  }

  public static Model model(String name, long bytes) {
    return new Model(
        name,
        "0".repeat(64),
        bytes,
        Path.of("/nowhere"),
        Instant.EPOCH,
        Instant.EPOCH,
        ModelOptions.NONE);
  }

  @Override
  public synchronized List<Model> all() {
    return List.copyOf(models.values());
  }

  @Override
  public synchronized void put(Model model) {
    models.put(model.name(), model);
  }
}
