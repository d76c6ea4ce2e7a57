package dev.cloister.coordinator.placement;

import static dev.cloister.coordinator.placement.TestPlans.GIB;
import static dev.cloister.coordinator.placement.TestPlans.demand;
import static dev.cloister.coordinator.placement.TestPlans.layout;
import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.coordinator.catalog.ModelLayout;
import dev.cloister.coordinator.catalog.ModelLayout.Layer;
import dev.cloister.coordinator.placement.Network.Link;
import dev.cloister.coordinator.placement.Network.Way;
import dev.cloister.coordinator.placement.PipelinePlan.PlannedStage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Plans for fleets, networks and models that chance made. */
class RandomFleetsTest {
  @Test
  void everyPlanOfRandomFleetsIsSound() {
    for (long seed = 0; seed < 300; seed++) {
      Random random = new Random(seed);
      ModelLayout layout = randomLayout(random);
      int split = random.nextInt(5);
      Demand demand = split == 0 ? demand(layout) : demand(layout, split);
      List<Offer> fleet = randomFleet(random);
      Network network = randomNetwork(random, fleet);
      Proposal proposal = Planner.plan(demand, fleet, network);
      String story = "seed " + seed + ": " + proposal.reason();
      List<PipelinePlan> all = new ArrayList<>(proposal.alternatives());
      proposal.plan().ifPresent(all::add);
      for (PipelinePlan plan : all) {
        requireSound(demand, layout, fleet, plan, story);
      }
      proposal
          .plan()
          .ifPresent(
              plan -> {
                if (split > 0) {
                  assertThat(plan.stages()).as(story).hasSize(split);
                }
                requireBest(plan, proposal.alternatives(), split, story);
              });
    }
  }

  private static void requireSound(
      Demand demand, ModelLayout layout, List<Offer> fleet, PipelinePlan plan, String story) {
    int next = 0;
    Set<String> used = new HashSet<>();
    for (PlannedStage stage : plan.stages()) {
      assertThat(stage.firstLayer()).as(story).isEqualTo(next);
      if (!plan.isWhole()) {
        assertThat(layout.cuts()).as(story).contains(stage.firstLayer());
        assertThat(stage.endLayer()).as(story).isGreaterThan(stage.firstLayer());
      }
      next = stage.endLayer();
      assertThat(used.add(stage.nodeId())).as(story).isTrue();
      Offer offer =
          fleet.stream()
              .filter(node -> node.nodeId().equals(stage.nodeId()))
              .findFirst()
              .orElseThrow();
      assertThat(stage.memory()).as(story).isEqualTo(demand.memory(stage.firstLayer(), next));
      assertThat(offer.holds(stage.memory())).as(story).isTrue();
    }
    assertThat(next).as(story).isEqualTo(layout.layers().size());
    assertThat(plan.secondsPerToken()).as(story).isPositive().isFinite();
    assertThat(plan.promptTokensPerSecond()).as(story).isPositive().isFinite();
    assertThat(plan.totalTokensPerSecond()).as(story).isPositive().isFinite();
  }

  /** Among plans that would have done as well as an answer to what was asked. */
  private static void requireBest(
      PipelinePlan plan, List<PipelinePlan> others, int split, String story) {
    for (PipelinePlan other : others) {
      if (split > 0 && other.stages().size() == split) {
        assertThat(plan.totalTokensPerSecond())
            .as(story)
            .isGreaterThanOrEqualTo(other.totalTokensPerSecond());
      } else if (split == 0 && plan.isWhole() == other.isWhole()) {
        assertThat(
                plan.totalTokensPerSecond() >= other.totalTokensPerSecond()
                    || plan.secondsPerToken() < other.secondsPerToken())
            .as(story)
            .isTrue();
      }
    }
  }

  private static ModelLayout randomLayout(Random random) {
    int count = 1 + random.nextInt(40);
    List<Layer> layers = new ArrayList<>();
    List<Integer> cuts = new ArrayList<>(List.of(0));
    for (int i = 0; i < count; i++) {
      layers.add(new Layer(1 + random.nextLong(GIB / 2), random.nextLong(10_000)));
      if (i > 0 && random.nextInt(4) > 0) {
        cuts.add(i);
      }
    }
    return layout(
        layers, cuts, random.nextInt(10) == 0 ? Optional.of("because") : Optional.empty());
  }

  private static List<Offer> randomFleet(Random random) {
    return IntStream.range(0, random.nextInt(9))
        .mapToObj(
            i ->
                new Offer(
                    "id-" + i,
                    "n" + i,
                    random.nextLong(16 * GIB),
                    1e9 + random.nextDouble() * 5e10,
                    random.nextInt(3) == 0 ? random.nextLong(12 * GIB) : 0,
                    3e11))
        .toList();
  }

  private static Network randomNetwork(Random random, List<Offer> fleet) {
    Map<Way, Link> links = new HashMap<>();
    Set<Way> cut = new HashSet<>();
    for (Offer from : fleet) {
      links.put(Way.toCoordinator(from.nodeId()), randomLink(random));
      for (Offer to : fleet) {
        if (random.nextBoolean()) {
          links.put(new Way(from.nodeId(), to.nodeId()), randomLink(random));
        } else if (random.nextBoolean()) {
          cut.add(new Way(from.nodeId(), to.nodeId()));
        }
      }
    }
    Set<String> deaf =
        fleet.stream()
            .map(Offer::nodeId)
            .filter(_ -> random.nextInt(8) == 0)
            .collect(Collectors.toSet());
    return new Network(Map.of(), deaf, links, cut);
  }

  private static Link randomLink(Random random) {
    return Link.measured(random.nextDouble() * 0.02, 1e6 + random.nextDouble() * 1e9);
  }
}
