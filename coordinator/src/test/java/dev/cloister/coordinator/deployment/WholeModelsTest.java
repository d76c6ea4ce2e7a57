package dev.cloister.coordinator.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.catalog.ModelContents;
import dev.cloister.coordinator.catalog.ModelOptions;
import dev.cloister.coordinator.fakes.FakeNodeSession;
import dev.cloister.coordinator.fakes.TestFleet;
import dev.cloister.coordinator.fleet.Assignment;
import dev.cloister.coordinator.fleet.Node;
import dev.cloister.coordinator.fleet.Replica;
import dev.cloister.coordinator.links.Links;
import dev.cloister.coordinator.placement.Demand;
import dev.cloister.coordinator.placement.StageMemory;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class WholeModelsTest {
  private static final ModelOptions TWO_SLOTS =
      ModelOptions.NONE.withSize(OptionalInt.of(512), OptionalInt.of(2));

  private final TestFleet cluster = new TestFleet();
  private final FakeNodeSession desk = new FakeNodeSession();

  @BeforeEach
  void listen() {
    Deployments deployments =
        new Deployments(
            cluster.catalog,
            cluster.fleet,
            new Links(),
            new ModelContents(new NoModelFiles()),
            cluster.clock,
            () -> "plan");
    cluster.fleet.addListener(deployments);
    cluster.catalog.addListener(deployments);
  }

  private static Assignment whole(Model model, int contextTokens, int slots) {
    return new Assignment(
        model,
        contextTokens,
        slots,
        Optional.empty(),
        OptionalInt.empty(),
        StageMemory.ofFile(model.sizeBytes()).totalBytes());
  }

  @Test
  void aNodeIsAskedForEveryModelWithItsOptions() {
    Model tiny = cluster.catalog.configure(TestFleet.MODEL, TWO_SLOTS).orElseThrow();
    cluster.online("desk", desk);
    assertThat(desk.served())
        .containsExactlyInAnyOrder(
            whole(tiny, 512, 2),
            whole(cluster.catalog.find("org/big:v1").orElseThrow(), 0, Demand.SLOTS));
  }

  @Test
  void aModelThatIsConfiguredIsAskedForAgainWhereItIsServed() {
    FakeNodeSession small = new FakeNodeSession();
    FakeNodeSession gone = new FakeNodeSession();
    cluster.online("desk", desk);
    Node leaver = cluster.online("gone", gone);
    cluster.lose(leaver, gone);
    Node cramped = TestFleet.node("small");
    cluster.fleet.declare(cramped);
    cluster.fleet.attach(cramped, small, "0.1.0", TestFleet.machine(1), "", Set.of());

    Model tiny = cluster.catalog.configure(TestFleet.MODEL, TWO_SLOTS).orElseThrow();

    assertThat(desk.served()).hasSize(3).last().isEqualTo(whole(tiny, 512, 2));
    assertThat(small.served()).isEmpty();
    assertThat(gone.served()).hasSize(2);
  }

  @Test
  void aNewSessionIsToldAgainAndWhatNobodyWantsIsDroppedOnce() {
    Node node = cluster.online("desk", desk);
    FakeNodeSession again = new FakeNodeSession();
    cluster.online("desk", again);
    assertThat(again.served()).hasSize(2);

    cluster.fleet.replica(node.id(), again, new Replica.Loading("old", 0));
    cluster.fleet.replica(node.id(), again, new Replica.Failed("old", "no memory"));

    assertThat(again.dropped()).containsExactly("old");
    assertThat(again.served()).hasSize(2);
  }

  @Test
  void aDrainedNodeKeepsWhatItHasAndGetsNothingMore() {
    Node node = cluster.online("desk", desk);
    FakeNodeSession again = new FakeNodeSession();
    cluster.fleet.drain(node, cluster.clock.instant());
    cluster.online("desk", again);
    cluster.fleet.replica(node.id(), again, new Replica.Loading(TestFleet.MODEL, 0));
    assertThat(again.served())
        .extracting(own -> own.model().name())
        .containsExactly(TestFleet.MODEL);
    assertThat(again.dropped()).isEmpty();
  }
}
