package dev.cloister.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.catalog.ModelOptions;
import dev.cloister.coordinator.fakes.FakeNodeSession;
import dev.cloister.coordinator.fakes.FakeNodeSession.Served;
import dev.cloister.coordinator.fakes.TestFleet;
import dev.cloister.coordinator.fleet.Node;
import dev.cloister.coordinator.placement.Placement;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class DeployEverythingTest {
  private static final ModelOptions TWO_SLOTS =
      new ModelOptions(
          OptionalInt.of(512),
          OptionalInt.of(2),
          OptionalInt.empty(),
          OptionalInt.empty(),
          OptionalInt.empty(),
          OptionalInt.empty(),
          OptionalInt.empty(),
          Optional.of(ModelOptions.KvType.Q8_0),
          Optional.empty(),
          Optional.empty());

  private final TestFleet cluster = new TestFleet();
  private final FakeNodeSession desk = new FakeNodeSession();

  @BeforeEach
  void listen() {
    DeployEverything deployment = new DeployEverything(cluster.catalog, cluster.fleet);
    cluster.fleet.addListener(deployment);
    cluster.catalog.addListener(deployment);
  }

  @Test
  void aNodeIsAskedForEveryModelWithItsOptions() {
    Model tiny = cluster.catalog.configure(TestFleet.MODEL, TWO_SLOTS).orElseThrow();
    cluster.online("desk", desk);
    assertThat(desk.served())
        .containsExactlyInAnyOrder(
            new Served(tiny, 2),
            new Served(cluster.catalog.find("org/big:v1").orElseThrow(), Placement.SLOTS));
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
    cluster.fleet.attach(cramped, small, "0.1.0", TestFleet.machine(1));

    Model tiny = cluster.catalog.configure(TestFleet.MODEL, TWO_SLOTS).orElseThrow();

    assertThat(desk.served()).hasSize(3).last().isEqualTo(new Served(tiny, 2));
    assertThat(small.served()).isEmpty();
    assertThat(gone.served()).hasSize(2);
  }
}
