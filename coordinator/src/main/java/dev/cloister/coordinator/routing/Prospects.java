package dev.cloister.coordinator.routing;

import dev.cloister.coordinator.catalog.Catalog;
import dev.cloister.coordinator.fleet.Fleet;
import dev.cloister.coordinator.fleet.NodeView;
import dev.cloister.coordinator.fleet.Replica;
import dev.cloister.coordinator.fleet.Replica.Ready.Use;
import dev.cloister.coordinator.inference.GenerationEvent.Failed;
import dev.cloister.coordinator.inference.GenerationEvent.FailureCode;
import dev.cloister.coordinator.inference.GenerationRequest;
import dev.cloister.coordinator.routing.choice.Decision;
import java.util.List;

/** Which nodes may see a request, and what it may hope for where none takes it. Thread-safe. */
final class Prospects {
  private final Catalog catalog;
  private final Fleet fleet;
  private final Outlook outlook;
  private final Loads loads;

  Prospects(Catalog catalog, Fleet fleet, Outlook outlook, Loads loads) {
    this.catalog = catalog;
    this.fleet = fleet;
    this.outlook = outlook;
    this.loads = loads;
  }

  /** Whether a node, and all that answer with it, have the labels that are required now. */
  boolean maySee(GenerationRequest request, String nodeId) {
    Eligibility eligibility = Eligibility.of(request, catalog);
    if (eligibility.isOpenToAll()) {
      return true;
    }
    List<String> ring = outlook.ring(request.model());
    return isAllowed(eligibility, List.of(nodeId))
        && (!ring.contains(nodeId) || isAllowed(eligibility, ring));
  }

  /**
   * Whether the stages of a model can answer a request. The first one of a pipeline that lost
   * another may not have noticed yet.
   */
  boolean mayUseStages(GenerationRequest request, Eligibility eligibility) {
    return outlook.isComing(request.model())
        && isAllowed(eligibility, outlook.ring(request.model()));
  }

  private boolean isAllowed(Eligibility eligibility, List<String> nodeIds) {
    return nodeIds.stream().allMatch(id -> fleet.view(id).filter(eligibility::allows).isPresent());
  }

  /** Whether some node that may answer has the model or is about to have it. */
  boolean isComing(GenerationRequest request) {
    String model = request.model();
    Eligibility eligibility = Eligibility.of(request, catalog);
    return mayUseStages(request, eligibility)
        || (outlook.obstacle(model).isEmpty()
            && mayAnswer(eligibility, model).stream()
                .flatMap(view -> view.replicas().stream())
                .anyMatch(replica -> replica.model().equals(model) && mayGenerate(replica)));
  }

  /**
   * Whether a node that may see the request can load its model, though others have it: it is not a
   * further copy for whom these may not answer.
   */
  boolean isWanted(GenerationRequest request) {
    Eligibility eligibility = Eligibility.of(request, catalog);
    return !eligibility.isOpenToAll()
        && outlook.wantedBySome(request.model(), nodeId -> eligibility.isOpen(fleet, nodeId));
  }

  /**
   * The nodes that may see the request and take new work, if all that they work with may see it.
   */
  private List<NodeView> mayAnswer(Eligibility eligibility, String model) {
    List<NodeView> nodes = eligibility.open(fleet.nodes());
    return isAllowed(eligibility, outlook.ring(model))
        ? nodes
        : nodes.stream()
            .filter(view -> view.replica(model).filter(own -> own.plan().isEmpty()).isPresent())
            .toList();
  }

  private static boolean mayGenerate(Replica replica) {
    return switch (replica) {
      case Replica.Fetching _, Replica.Loading _, Replica.Staged _ -> true;
      case Replica.Ready ready -> ready.uses().contains(Use.GENERATE);
      case Replica.Failed _ -> false;
    };
  }

  /** Why nothing can take a request, in one sentence. */
  Failed noCapacity(GenerationRequest request, Decision decision) {
    String model = request.model();
    if (!decision.predictions().isEmpty()) {
      return new Failed(
          FailureCode.NO_CAPACITY, loads.busy(model) + "; try again in a few seconds");
    }
    List<NodeView> nodes = fleet.nodes();
    if (nodes.stream().anyMatch(view -> isForOtherUses(view, model))) {
      return Failed.invalid(
          "model", "the model '" + model + "' does not generate text; choose another model");
    }
    if (isComing(request)) {
      return new Failed(
          FailureCode.NO_CAPACITY,
          "the model '" + model + "' is being loaded; try again in a few seconds");
    }
    return Eligibility.of(request, catalog)
        .refusal(model, nodes)
        .orElseGet(
            () ->
                new Failed(
                    FailureCode.NO_CAPACITY,
                    isKept(model, nodes)
                        ? "every node that serves '%s' is drained or paused; see: cloister node list"
                            .formatted(model)
                        : outlook
                            .obstacle(model)
                            .orElse(
                                "no node serves '%s' now; see: cloister node list"
                                    .formatted(model))));
  }

  private static boolean isForOtherUses(NodeView view, String model) {
    return view.ready(model).filter(ready -> !ready.uses().contains(Use.GENERATE)).isPresent();
  }

  /** Whether nodes have the model that take nothing. */
  private static boolean isKept(String model, List<NodeView> nodes) {
    return nodes.stream().anyMatch(view -> !view.isOpen() && view.ready(model).isPresent());
  }
}
