package dev.cloister.coordinator.routing;

import dev.cloister.coordinator.catalog.Catalog;
import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.fleet.Fleet;
import dev.cloister.coordinator.fleet.NodeView;
import dev.cloister.coordinator.inference.GenerationEvent.Failed;
import dev.cloister.coordinator.inference.GenerationEvent.FailureCode;
import dev.cloister.coordinator.inference.GenerationRequest;
import dev.cloister.coordinator.labels.Labels;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * Which nodes a request may be seen by: those with all labels that its model and its caller
 * require. Asked before any choice, and again whenever an answer moves. Immutable.
 *
 * @param ofModel what the model requires
 * @param ofCaller what the caller's API key requires
 */
record Eligibility(Labels ofModel, Labels ofCaller) {

  static Eligibility of(GenerationRequest request, Catalog catalog) {
    return new Eligibility(
        catalog.find(request.model()).map(Model::required).orElse(Labels.NONE),
        request.tenant().required());
  }

  boolean isOpenToAll() {
    return ofModel.isEmpty() && ofCaller.isEmpty();
  }

  boolean allows(NodeView node) {
    return node.labels().have(ofModel) && node.labels().have(ofCaller);
  }

  /** Whether a node may see it, and takes new work. */
  boolean isOpen(Fleet fleet, String nodeId) {
    return isOpenToAll()
        ? fleet.isOpen(nodeId)
        : fleet.view(nodeId).filter(view -> view.isOpen() && allows(view)).isPresent();
  }

  /** The nodes that may see it, and take new work. */
  List<NodeView> open(Collection<NodeView> nodes) {
    return nodes.stream().filter(NodeView::isOpen).filter(this::allows).toList();
  }

  /**
   * Why a request that no node can take is refused, where labels are the reason.
   *
   * @param nodes all of the cluster, also those that are away
   */
  Optional<Failed> refusal(String model, Collection<NodeView> nodes) {
    if (isOpenToAll()) {
      return Optional.empty();
    }
    return Optional.of(
        nodes.stream().anyMatch(this::allows)
            ? new Failed(
                FailureCode.NO_CAPACITY,
                "no node with the labels %s serves '%s' now; see: cloister node list"
                    .formatted(rule(), model))
            : new Failed(
                FailureCode.NOT_ALLOWED,
                "no node of the cluster has the labels %s; they are given with: cloister node label"
                    .formatted(rule().replaceFirst(",$", ""))));
  }

  private String rule() {
    if (ofCaller.isEmpty() || ofCaller.equals(ofModel)) {
      return ofModel + ", which the model requires,";
    }
    return ofModel.isEmpty()
        ? ofCaller + ", which the API key requires,"
        : ofModel + " and " + ofCaller + ", which the model and the API key require,";
  }
}
