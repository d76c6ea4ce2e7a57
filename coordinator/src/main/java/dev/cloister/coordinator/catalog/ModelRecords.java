package dev.cloister.coordinator.catalog;

import java.util.List;

/** The durable list of models. Thread-safe. */
public interface ModelRecords {
  /** All models, by name. */
  List<Model> all();

  /** Adds the model, or replaces the one of the same name. */
  void put(Model model);
}
