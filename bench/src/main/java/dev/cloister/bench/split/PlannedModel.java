package dev.cloister.bench.split;

import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.catalog.ModelFiles;
import dev.cloister.coordinator.catalog.ModelOptions;
import dev.cloister.coordinator.fleet.Capability;
import dev.cloister.coordinator.placement.Demand;
import dev.cloister.coordinator.placement.Network;
import dev.cloister.coordinator.placement.Offer;
import dev.cloister.coordinator.placement.PipelinePlan;
import dev.cloister.coordinator.placement.Planner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;

/**
 * What the coordinator's planner makes of a model on nodes that are a core of this machine each.
 *
 * @param whole on one of them
 * @param split on two
 */
record PlannedModel(PipelinePlan whole, PipelinePlan split) {
  private static final long MEMORY = 16L << 30;

  /**
   * Plans.
   *
   * @param copiedBytesPerSecond as an agent with one thread measures it
   * @param slots of each copy, twice as many of a split one
   */
  static PlannedModel of(
      ModelFiles files, Path file, double copiedBytesPerSecond, int context, int slots)
      throws IOException {
    Capability core =
        new Capability(
            "this machine",
            "Linux",
            "",
            new Capability.Cpu("", 1, 1, List.of()),
            MEMORY,
            MEMORY,
            0,
            0,
            Optional.empty(),
            List.of(),
            List.of(),
            Capability.Engines.UNKNOWN);
    OptionalDouble speed = OptionalDouble.of(copiedBytesPerSecond);
    List<Offer> cores =
        List.of(Offer.of("one", "one", core, speed), Offer.of("two", "two", core, speed));
    Network network = new Network(Map.of("one", core, "two", core), Set.of(), Map.of(), Set.of());
    Model model =
        new Model(
            "bench",
            "",
            Files.size(file),
            file,
            Instant.EPOCH,
            Instant.EPOCH,
            ModelOptions.NONE.withSize(OptionalInt.of(context), OptionalInt.of(slots)));
    var layout = files.layout(file);
    ModelOptions halves =
        ModelOptions.NONE
            .withSize(OptionalInt.of(context), OptionalInt.of(2 * slots))
            .withSplit(OptionalInt.of(2));
    return new PlannedModel(
        plan(Demand.of(model, layout), cores.subList(0, 1), network),
        plan(Demand.of(model.with(halves), layout), cores, network));
  }

  private static PipelinePlan plan(Demand demand, List<Offer> cores, Network network) {
    return Planner.plan(demand, cores, network).plan().orElseThrow();
  }

  /** What a stage may keep of ended sequences, as its agent would tell it. */
  long shelfBytes(int stage) {
    return split.stages().get(stage).memory().shelfBytes();
  }

  /** The first layer of the second stage. */
  int cut() {
    return split.stages().getFirst().endLayer();
  }
}
