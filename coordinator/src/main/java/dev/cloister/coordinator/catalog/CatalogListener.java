package dev.cloister.coordinator.catalog;

/** Is told of changes to the catalog, in order. */
@FunctionalInterface
public interface CatalogListener {
  /** The model is to be run with other options, by other nodes, or for another time from now on. */
  void configured(Model model);
}
