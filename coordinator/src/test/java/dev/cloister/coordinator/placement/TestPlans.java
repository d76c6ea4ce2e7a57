package dev.cloister.coordinator.placement;

import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.catalog.ModelLayout;
import dev.cloister.coordinator.catalog.ModelLayout.Layer;
import dev.cloister.coordinator.catalog.ModelOptions;
import dev.cloister.coordinator.fakes.MemoryModelRecords;
import dev.cloister.coordinator.placement.PipelinePlan.PlannedStage;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/** A model, and nodes that could hold parts of it, for tests of the planner. */
final class TestPlans {
  static final long GIB = 1L << 30;
  static final Model MODEL = MemoryModelRecords.model("big", 1);

  private TestPlans() {}

  /** Of 0.5 GiB a layer, without anything else. */
  static ModelLayout layers(int count) {
    return layout(
        Collections.nCopies(count, new Layer(GIB / 2, 64)),
        IntStream.range(0, count).boxed().toList(),
        Optional.empty());
  }

  static ModelLayout layout(List<Layer> layers, List<Integer> cuts, Optional<String> cannotSplit) {
    return new ModelLayout(
        "llama",
        2048,
        512,
        1024,
        8,
        1000,
        1 << 20,
        1 << 20,
        false,
        layers,
        cuts,
        cannotSplit,
        Map.of());
  }

  static Demand demand(ModelLayout layout) {
    return Demand.of(MODEL, layout);
  }

  static Demand demand(ModelLayout layout, int split) {
    return Demand.of(MODEL.with(ModelOptions.NONE.withSplit(OptionalInt.of(split))), layout);
  }

  static Offer node(String name, double gib, double gibPerSecond) {
    return new Offer("id-" + name, name, (long) (gib * GIB), gibPerSecond * GIB, 0, 0);
  }

  static Proposal plan(Demand demand, Offer... nodes) {
    return Planner.plan(demand, List.of(nodes), Network.UNKNOWN);
  }

  static List<String> nodes(PipelinePlan plan) {
    return plan.stages().stream().map(PlannedStage::nodeName).toList();
  }
}
