package dev.cloister.coordinator;

import dev.cloister.coordinator.catalog.Catalog;
import dev.cloister.coordinator.catalog.CatalogListener;
import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.fleet.Capability;
import dev.cloister.coordinator.fleet.Fleet;
import dev.cloister.coordinator.fleet.FleetListener;
import dev.cloister.coordinator.fleet.Node;
import dev.cloister.coordinator.fleet.NodeSession;
import dev.cloister.coordinator.placement.Placement;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has every model that fits served by every node. Thread-safe; one change after the other, so that
 * the last a node hears of a model is how it is to be run now.
 */
final class DeployEverything implements FleetListener, CatalogListener {
  private static final Logger log = LoggerFactory.getLogger(DeployEverything.class);

  private final Catalog catalog;
  private final Fleet fleet;

  DeployEverything(Catalog catalog, Fleet fleet) {
    this.catalog = catalog;
    this.fleet = fleet;
  }

  @Override
  public synchronized void attached(Node node, NodeSession session, Capability capability) {
    List<Model> models = Placement.assign(capability, catalog.models());
    log.info("node {} is to serve {}", node.name(), models.stream().map(Model::name).toList());
    models.forEach(model -> serve(session, model));
  }

  @Override
  public void replicasChanged() {}

  @Override
  public synchronized void configured(Model model) {
    fleet
        .nodes()
        .forEach(
            view ->
                view.capability()
                    .filter(
                        capability ->
                            Placement.assign(capability, catalog.models()).contains(model))
                    .flatMap(_ -> fleet.session(view.node().id()))
                    .ifPresent(session -> serve(session, model)));
  }

  private static void serve(NodeSession session, Model model) {
    session.serve(model, model.options().slots().orElse(Placement.SLOTS));
  }
}
