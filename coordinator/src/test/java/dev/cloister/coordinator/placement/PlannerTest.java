package dev.cloister.coordinator.placement;

import static dev.cloister.coordinator.placement.TestPlans.GIB;
import static dev.cloister.coordinator.placement.TestPlans.MODEL;
import static dev.cloister.coordinator.placement.TestPlans.demand;
import static dev.cloister.coordinator.placement.TestPlans.layers;
import static dev.cloister.coordinator.placement.TestPlans.layout;
import static dev.cloister.coordinator.placement.TestPlans.node;
import static dev.cloister.coordinator.placement.TestPlans.nodes;
import static dev.cloister.coordinator.placement.TestPlans.plan;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.cloister.coordinator.catalog.ModelLayout;
import dev.cloister.coordinator.catalog.ModelLayout.Layer;
import dev.cloister.coordinator.catalog.ModelOptions;
import dev.cloister.coordinator.fakes.TestFleet;
import dev.cloister.coordinator.placement.Network.Link;
import dev.cloister.coordinator.placement.Network.Way;
import dev.cloister.coordinator.placement.PipelinePlan.PlannedStage;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PlannerTest {
  @Test
  void aModelThatFitsOneNodeIsNotSplit() {
    Proposal proposal = plan(demand(layers(8)), node("desk", 8, 10), node("rack", 8, 20));
    assertThat(nodes(proposal.plan().orElseThrow())).containsExactly("rack");
    assertThat(proposal.alternatives()).anyMatch(other -> nodes(other).equals(List.of("desk")));
    assertThat(proposal.alternatives()).anyMatch(other -> !other.isWhole());
    assertThat(proposal.reason()).startsWith("rack holds it whole, and ");
  }

  @Test
  void equalNodesGetEqualShares() {
    PipelinePlan plan =
        plan(demand(layers(12), 3), node("a", 64, 10), node("b", 64, 10), node("c", 64, 10))
            .plan()
            .orElseThrow();
    assertThat(plan.stages()).extracting(PlannedStage::firstLayer).containsExactly(0, 4, 8);
  }

  @Test
  void aFastNodeGetsMoreLayersThanASlowOne() {
    PipelinePlan plan =
        plan(demand(layers(12), 2), node("fast", 64, 30), node("slow", 64, 10))
            .plan()
            .orElseThrow();
    PlannedStage fast =
        plan.stages().stream()
            .filter(stage -> stage.nodeName().equals("fast"))
            .findFirst()
            .orElseThrow();
    assertThat(fast.endLayer() - fast.firstLayer()).isEqualTo(9);
  }

  @Test
  void aNodeThatOnlySlowsThePipelineIsLeftOut() {
    Proposal proposal =
        plan(demand(layers(12)), node("a", 5, 20), node("b", 5, 20), node("old", 5, 1));
    assertThat(nodes(proposal.plan().orElseThrow())).containsExactlyInAnyOrder("a", "b");
    assertThat(proposal.reason())
        .isEqualTo(
            "no single node can hold big, which needs 6.6 GiB: a has 5.0 GiB, 1.6 GiB less; 2 nodes"
                + " together can, and one more would not make it faster");
  }

  @Test
  void stagesShareTheShelfAsTheyShareTheCache() {
    Demand small = demand(layers(12));
    assertThat(small.whole().shelfBytes()).isEqualTo(12 * 64 * 2048);
    assertThat(small.memory(3, 12).shelfBytes()).isEqualTo(9 * 64 * 2048);
    List<Layer> wide = Collections.nCopies(12, new Layer(GIB / 2, 1 << 16));
    Demand large = demand(layout(wide, List.of(0, 3), Optional.empty()));
    assertThat(large.whole().shelfBytes()).isEqualTo(GIB / 4);
    assertThat(large.memory(3, 12).shelfBytes()).isEqualTo(3 * GIB / 16);
  }

  @Test
  void theStageThatDecidesWhatTheShelfKeepsHasLessThanOthersHaveRoomFor() {
    assertThat(demand(layers(12)).memory(0, 3).shelfBytes()).isEqualTo(3 * 64 * 2048 / 16 * 15);
    List<Layer> wide = Collections.nCopies(12, new Layer(GIB / 2, 1 << 16));
    Demand large = demand(layout(wide, List.of(0, 3), Optional.empty()));
    assertThat(large.memory(0, 3).shelfBytes()).isEqualTo(GIB / 16 / 16 * 15);
  }

  @Test
  void whatIsMissingIsSaid() {
    Proposal proposal = plan(demand(layers(20)), node("a", 3, 10), node("b", 3, 10));
    assertThat(proposal.plan()).isEmpty();
    assertThat(proposal.reason())
        .startsWith("no single node can hold big, which needs 10.")
        .contains("2 nodes together have 6.0 GiB free for it")
        .endsWith("are missing");
    assertThat(plan(demand(layers(2), 3), node("a", 64, 1)).reason())
        .isEqualTo("big has 2 layers it can be cut at; it cannot be split over 3 nodes");
    assertThat(plan(demand(layers(2), 1), node("a", 1, 1)).reason())
        .endsWith("and it is never to be split");
    assertThat(plan(demand(layers(2))).reason())
        .isEqualTo(
            "big needs 1.3 GiB of memory and no node takes work, and there are no two nodes that"
                + " could hold a part of it each");
  }

  @Test
  void whichMemoryIsMissingIsSaidWhereASplitWasAskedFor() {
    assertThat(plan(demand(layers(12), 3), node("a", 2, 10), node("b", 2, 10)).reason())
        .startsWith("big is to be split over 3 nodes, and 2 are online")
        .contains(": they have 4.0 GiB free for it, where 6.")
        .endsWith(" GiB are missing");
    assertThat(plan(demand(layers(12), 3), node("a", 64, 10), node("b", 64, 10)).reason())
        .contains(": they have 128.0 GiB free for it, where 6.")
        .endsWith("memory is not missing, but one more node with 835 MiB free is");
    assertThat(
            plan(demand(layers(12), 2), node("a", 2, 1), node("b", 2, 1), node("c", 1, 1)).reason())
        .startsWith("big cannot be split over 2 nodes: 2 nodes together have 4.0 GiB free for it")
        .endsWith(" GiB are missing");
  }

  @Test
  void allNodesOfAPlanHaveOneNativeLibrary() {
    Offer[] nodes = {
      node("a", 4, 10).withLibrary("new"),
      node("b", 4, 30).withLibrary("old"),
      node("c", 4, 10).withLibrary("new"),
      node("d", 4, 10)
    };
    Proposal proposal = plan(demand(layers(12), 2), nodes);
    assertThat(nodes(proposal.plan().orElseThrow())).containsExactlyInAnyOrder("a", "c");
    assertThat(plan(demand(layers(12), 3), nodes).reason())
        .isEqualTo(
            "big cannot be split over 3 nodes: not enough nodes have the same native library, and"
                + " one that runs its parts (a has new, b has old, c has new, d has an unknown"
                + " one); install a newer one on all of them with: cloister engine install"
                + " llama.cpp");

    PipelinePlan plan = proposal.plan().orElseThrow();
    assertThat(Planner.stands(demand(layers(12)), plan, List.of(nodes))).isTrue();
    nodes[0] = nodes[0].withLibrary("newer");
    assertThat(Planner.stands(demand(layers(12)), plan, List.of(nodes))).isFalse();
    assertThat(Planner.repair(demand(layers(12)), plan, List.of(nodes), Network.UNKNOWN)).isEmpty();
    nodes[3] = nodes[3].withLibrary("new");
    assertThat(
            nodes(
                Planner.repair(demand(layers(12)), plan, List.of(nodes), Network.UNKNOWN)
                    .orElseThrow()))
        .containsExactlyInAnyOrder("c", "d");
  }

  @Test
  void aLibraryGetsTheNumbersOfLayersThatItRuns() {
    ModelLayout twelve = layers(12);
    ModelLayout picky =
        new ModelLayout(
            "gemma3",
            2048,
            512,
            1024,
            8,
            1000,
            1 << 20,
            1 << 20,
            false,
            twelve.layers(),
            twelve.cuts(),
            Optional.empty(),
            Map.of("old", Set.of(6, 7, 8)));
    Offer[] nodes = {
      node("a", 64, 30).withLibrary("old"),
      node("b", 64, 10).withLibrary("old"),
      node("c", 64, 10).withLibrary("old")
    };
    assertThat(plan(demand(picky, 2), nodes).plan().orElseThrow().stages())
        .extracting(PlannedStage::firstLayer)
        .containsExactly(0, 6);
    assertThat(plan(demand(picky, 3), nodes).reason())
        .contains("one that runs its parts (a has old, b has old, c has old)");
    assertThat(plan(demand(picky, 1), nodes).reason())
        .startsWith("the native library of no node that could hold big runs it whole (a has old,");
    nodes[2] = nodes[2].withLibrary("new");
    assertThat(nodes(plan(demand(picky, 1), nodes).plan().orElseThrow())).containsExactly("c");
  }

  @Test
  void whatIsNotProvedIsSplitOnlyWhereSomebodyInsists() {
    ModelLayout unproved =
        layout(
            Collections.nCopies(4, new Layer(GIB, 64)),
            List.of(0, 1, 2, 3),
            Optional.of("a split of 'strange' was not proved equal to the whole"));
    Offer[] nodes = {node("a", 3, 10), node("b", 3, 10)};
    assertThat(plan(demand(unproved), nodes).plan()).isEmpty();
    assertThat(plan(demand(unproved), nodes).reason()).endsWith("not proved equal to the whole");
    assertThat(plan(demand(unproved, 2), nodes).plan()).isEmpty();
    assertThat(plan(demand(unproved, 2), nodes).reason())
        .isEqualTo(
            "big is not split: a split of 'strange' was not proved equal to the whole; add --force"
                + " to split it nevertheless");
    Demand forced =
        Demand.of(MODEL.with(ModelOptions.NONE.withSplit(OptionalInt.of(2), true)), unproved);
    assertThat(plan(forced, nodes).plan()).isPresent();
    assertThat(plan(forced, nodes).reason())
        .startsWith(
            "a split over 2 nodes was asked for, unproved, forced (a split of 'strange' was not");
    ModelLayout uncut =
        layout(Collections.nCopies(4, new Layer(GIB, 64)), List.of(0), Optional.empty());
    assertThat(plan(demand(uncut, 2), nodes).plan()).isEmpty();
  }

  @Test
  void aMeasuredSpeedCountsMoreThanAnAssumedOne() {
    Offer slow = Offer.of("1", "a", TestFleet.machine(GIB), OptionalDouble.of(1e9));
    Offer assumed = Offer.of("2", "b", TestFleet.machine(GIB), OptionalDouble.empty());
    Offer fast = Offer.of("3", "c", TestFleet.machine(GIB), OptionalDouble.of(1e12));
    assertThat(slow.ramBytesPerSecond()).isLessThan(assumed.ramBytesPerSecond());
    assertThat(fast.ramBytesPerSecond()).isGreaterThan(assumed.ramBytesPerSecond());
  }

  @Test
  void whereANodeCannotBeDialledFramesGoThroughTheCoordinatorAndThatTakesBothLegs() {
    Network network =
        new Network(
            Map.of(),
            Set.of("id-deaf"),
            Map.of(
                Way.toCoordinator("id-a"),
                Link.measured(0.002, 1e9),
                Way.toCoordinator("id-deaf"),
                Link.measured(0.004, 1e6),
                new Way("id-deaf", "id-a"),
                Link.measured(0.001, 1e9)),
            Set.of());
    Demand demand = demand(layers(12));
    List<PlannedStage> stages =
        Planner.plan(demand, List.of(node("a", 5, 10), node("deaf", 5, 10)), network)
            .plan()
            .orElseThrow()
            .stages();
    PlannedStage open = stage(stages, "a");
    assertThat(open.relayed()).isTrue();
    assertThat(open.measured()).isTrue();
    assertThat(open.hopSeconds()).isCloseTo(0.003 + demand.hopBytes() / 1e6, within(1e-9));
    PlannedStage deaf = stage(stages, "deaf");
    assertThat(deaf.relayed()).isFalse();
    assertThat(deaf.hopSeconds()).isCloseTo(0.0005 + demand.hopBytes() / 1e9, within(1e-9));
  }

  private static PlannedStage stage(List<PlannedStage> stages, String name) {
    return stages.stream().filter(stage -> stage.nodeName().equals(name)).findFirst().orElseThrow();
  }

  @Test
  void aWayThatIsCutIsAvoidedWhereOthersDoAsWell() {
    List<Offer> nodes = List.of(node("a", 3, 10), node("b", 3, 10), node("c", 3, 10));
    Network slowRelay =
        new Network(
            Map.of(),
            Set.of(),
            Map.of(Way.toCoordinator("id-a"), Link.measured(0.1, 1e6)),
            Set.of(new Way("id-a", "id-b")));
    PipelinePlan plan = Planner.plan(demand(layers(8)), nodes, slowRelay).plan().orElseThrow();
    assertThat(plan.stages()).noneMatch(PlannedStage::relayed);
  }
}
