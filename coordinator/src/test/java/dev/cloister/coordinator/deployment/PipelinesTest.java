package dev.cloister.coordinator.deployment;

import static dev.cloister.coordinator.deployment.TestPipelines.GIB;
import static dev.cloister.coordinator.deployment.TestPipelines.MODEL;
import static dev.cloister.coordinator.deployment.TestPipelines.TWO_LAYERS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.coordinator.fakes.FakeNodeSession;
import dev.cloister.coordinator.fakes.RecordingSink;
import dev.cloister.coordinator.fakes.TestFleet;
import dev.cloister.coordinator.fleet.Assignment;
import dev.cloister.coordinator.fleet.Capability.Engines;
import dev.cloister.coordinator.fleet.Replica;
import dev.cloister.coordinator.fleet.Replica.Ready.Use;
import dev.cloister.coordinator.inference.GenerationEvent.FailureCode;
import dev.cloister.identity.ticket.PlanTicket;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SuppressWarnings("NullAway.Init")
class PipelinesTest {
  private @TempDir Path directory;
  private TestPipelines cluster;

  @BeforeEach
  void start() throws IOException {
    cluster = new TestPipelines(directory, 8 * GIB);
  }

  @Test
  void aModelThatFitsNoSingleNodeIsSpreadOverThoseThatHoldItTogether() {
    cluster.online("desk", TWO_LAYERS);
    assertThat(cluster.session("desk").served()).isEmpty();
    assertThat(cluster.deployments.isComing(MODEL)).isFalse();

    cluster.online("rack", TWO_LAYERS);

    List<Assignment> told =
        cluster.ring().stream().map(name -> cluster.session(name).served().getLast()).toList();
    assertThat(told)
        .extracting(own -> own.stage().orElseThrow())
        .containsExactly(
            new Assignment.Stage("plan-1", 0, 2, 0, 2, 245_760),
            new Assignment.Stage("plan-1", 1, 2, 2, 4, 262_144));
    assertThat(told).allMatch(own -> own.contextTokens() == 512 && own.slots() == 4);
    assertThat(cluster.deployments.isComing(MODEL)).isTrue();
  }

  @Test
  void aStageIsOnTheGpuWithAllItsLayersOrWithNone() {
    cluster.online("large", TestFleet.machineWithGpu(GIB, 5 * GIB), new FakeNodeSession());
    cluster.online("small", TestFleet.machineWithGpu(TWO_LAYERS, GIB), new FakeNodeSession());

    Assignment onGpu = cluster.session("large").served().getLast();
    assertThat(onGpu.stage()).isPresent();
    assertThat(onGpu.gpuLayers()).hasValue(-1);
    assertThat(onGpu.memoryBytes()).isLessThan(GIB);
    Assignment inMainMemory = cluster.session("small").served().getLast();
    assertThat(inMainMemory.gpuLayers()).hasValue(0);
    assertThat(inMainMemory.memoryBytes()).isGreaterThan(4 * GIB);
  }

  @Test
  void nodesWithOtherLibrariesAreNoPipeline() {
    cluster.online(
        "desk",
        TestFleet.machine(TWO_LAYERS, new Engines("llama.cpp b4916", false, false)),
        new FakeNodeSession());
    cluster.online(
        "rack",
        TestFleet.machine(TWO_LAYERS, new Engines("llama.cpp v0.5.0", true, false)),
        new FakeNodeSession());
    assertThat(cluster.session("desk").served()).isEmpty();
    assertThat(cluster.deployments.obstacle(MODEL).orElseThrow())
        .contains("desk has llama.cpp b4916, rack has llama.cpp v0.5.0");

    cluster.online(
        "lap",
        TestFleet.machine(TWO_LAYERS, new Engines("llama.cpp v0.5.0", true, false)),
        new FakeNodeSession());
    assertThat(cluster.ring()).containsExactlyInAnyOrder("rack", "lap");
  }

  @Test
  void ticketsAreGivenOutWhenAllStagesAreLoaded() {
    cluster.split(3);
    cluster.online("a", 64 * GIB);
    cluster.online("b", 64 * GIB);
    cluster.online("c", 64 * GIB);
    List<String> ring = cluster.ring();
    assertThat(ring).hasSize(3);
    cluster.loading("a", "b", "c");
    cluster.staged("a", "b");
    assertThat(cluster.session("a").tickets()).isEmpty();

    cluster.staged("c");

    for (int i = 0; i < 3; i++) {
      String name = ring.get(i);
      assertThat(cluster.session(name).tickets()).hasSize(1);
      PlanTicket ticket = cluster.lastTicket(name);
      assertThat(ticket.epoch()).isEqualTo(1);
      assertThat(ticket.stage()).isEqualTo(i);
      assertThat(ticket.holder().nodeId()).isEqualTo("id-" + name);
      assertThat(ticket.previous().nodeId()).isEqualTo("id-" + ring.get((i + 2) % 3));
      assertThat(ticket.next().nodeId()).isEqualTo("id-" + ring.get((i + 1) % 3));
      assertThat(ticket.next().address()).isEqualTo(ring.get((i + 1) % 3) + ":7444");
      assertThat(ticket.next().keys()).containsExactly(TestPipelines.key(ring.get((i + 1) % 3)));
      assertThat(ticket.expiresAt()).isEqualTo(cluster.clock.instant().plusSeconds(60));
    }
  }

  @Test
  void requestsWaitForTheFirstStageAndAreAnsweredByIt() {
    RecordingSink sink = new RecordingSink();
    cluster.online("desk", TWO_LAYERS);
    cluster.online("rack", TWO_LAYERS);
    cluster.dispatcher.submit(TestFleet.request("early", MODEL), sink);
    assertThat(sink.events()).isEmpty();
    cluster.staged("desk", "rack");
    assertThat(sink.events()).isEmpty();

    cluster.ready(cluster.ring().getFirst());

    assertThat(cluster.session(cluster.ring().getFirst()).starts()).hasSize(1);
    assertThat(cluster.session(cluster.ring().getLast()).starts()).isEmpty();
  }

  @Test
  void aRingThatBrokeIsClosedAgainWithAHigherEpochAndEverLongerPauses() {
    String first = cluster.running().getFirst();
    cluster.clock.advance(Duration.ofMinutes(1));
    cluster.staged(first);
    assertThat(cluster.lastTicket(first).epoch()).as("it was sound, so at once").isEqualTo(2);
    cluster.ready(first);

    cluster.staged(first);
    assertThat(cluster.lastTicket(first).epoch()).as("it broke soon").isEqualTo(2);
    cluster.clock.advance(Duration.ofMillis(100));
    cluster.deployments.tick();
    assertThat(cluster.lastTicket(first).epoch()).isEqualTo(3);
    cluster.clock.advance(Duration.ofMillis(5_001));
    cluster.deployments.tick();
    cluster.clock.advance(Duration.ofMillis(200));
    cluster.deployments.tick();
    assertThat(cluster.lastTicket(first).epoch()).as("it did not close").isEqualTo(4);
    assertThat(cluster.session(first).served()).hasSize(1);
  }

  @Test
  void aStageWhoseEngineIsStartedAgainIsWaitedFor() {
    List<String> ring = cluster.running();
    cluster.loading(ring.getLast());
    cluster.staged(ring.getFirst());
    cluster.clock.advance(Duration.ofMinutes(1));
    cluster.deployments.tick();
    assertThat(cluster.lastTicket(ring.getFirst()).epoch()).isEqualTo(1);

    cluster.staged(ring.getLast());

    assertThat(cluster.lastTicket(ring.getFirst()).epoch()).isEqualTo(2);
    assertThat(cluster.plan(ring.getFirst())).isEqualTo("plan-1");
  }

  @Test
  void aSpareNodeTakesThePlaceOfOneThatIsLostAndTheOthersStay() {
    List<String> ring = cluster.running();
    cluster.online("spare", TWO_LAYERS);
    assertThat(cluster.stage("spare")).isEmpty();

    cluster.lose(ring.getLast());

    assertThat(cluster.stage("spare"))
        .hasValue(new Assignment.Stage("plan-2", 1, 2, 2, 4, 262_144));
    assertThat(cluster.stage(ring.getFirst()))
        .hasValue(new Assignment.Stage("plan-2", 0, 2, 0, 2, 245_760));
    assertThat(cluster.deployments.isComing(MODEL)).isTrue();

    cluster.staged("spare", ring.getFirst());
    assertThat(cluster.lastTicket("spare").plan()).isEqualTo("plan-2");
    assertThat(cluster.lastTicket(ring.getFirst()).epoch()).isEqualTo(1);
  }

  @Test
  void newsOfAnOlderPlanCloseNoRing() {
    List<String> ring = cluster.running();
    cluster.online("spare", TWO_LAYERS);
    cluster.lose(ring.getLast());
    cluster.staged("spare");
    int before = cluster.session("spare").tickets().size();

    cluster.tell(ring.getFirst(), new Replica.Staged(MODEL, "plan-1", Optional.empty(), GIB));

    assertThat(cluster.session("spare").tickets()).hasSize(before);
  }

  @Test
  void whatNobodyCanHoldAnyMoreIsRefusedWithTheMissingMemory() {
    List<String> ring = cluster.running();
    cluster.lose(ring.getLast());

    RecordingSink sink = new RecordingSink();
    cluster.dispatcher.submit(TestFleet.request("late", MODEL), sink);

    assertThat(sink.failure().orElseThrow().code()).isEqualTo(FailureCode.NO_CAPACITY);
    assertThat(sink.failure().orElseThrow().message())
        .startsWith("no single node can hold big, which needs 8.")
        .contains("less");
    assertThat(cluster.session(ring.getFirst()).dropped()).isEmpty();

    cluster.online("new", TWO_LAYERS);
    assertThat(cluster.deployments.obstacle(MODEL)).isEmpty();
    assertThat(cluster.ring()).containsExactly(ring.getFirst(), "new");
  }

  @Test
  void aNodeThatComesBackSoonFindsTheOthersWhereTheyWere() {
    List<String> ring = cluster.running();
    FakeNodeSession former = cluster.session(ring.getLast());
    cluster.lose(ring.getLast());
    cluster.clock.advance(Duration.ofSeconds(20));
    cluster.deployments.tick();

    cluster.online(ring.getLast(), TWO_LAYERS);

    assertThat(cluster.session(ring.getLast()).served()).isEqualTo(former.served());
    assertThat(cluster.session(ring.getFirst()).served()).hasSize(1);
    cluster.staged(ring.getFirst(), ring.getLast());
    assertThat(cluster.lastTicket(ring.getLast()).plan()).isEqualTo("plan-1");
    assertThat(cluster.lastTicket(ring.getLast()).epoch()).isEqualTo(2);
  }

  @Test
  void stagesFromBeforeTheCoordinatorsStartStayUntilItsNodesHaveGathered() {
    FakeNodeSession desk = cluster.online("desk", TWO_LAYERS);
    cluster.tell("desk", new Replica.Staged(MODEL, "of-before", Optional.empty(), GIB));
    assertThat(desk.dropped()).isEmpty();
    cluster.online("rack", TWO_LAYERS);
    assertThat(desk.served()).hasSize(1);
    assertThat(desk.dropped()).isEmpty();
  }

  @Test
  void stagesFromBeforeTheCoordinatorsStartStayWhereTheyAre() {
    cluster.split(3);
    cluster.online("desk", TWO_LAYERS);
    cluster.tell("desk", ofBefore(3, 4));
    cluster.online("rack", TWO_LAYERS);
    cluster.tell("rack", ofBefore(1, 3));

    // It has told nothing yet when it is planned with.
    cluster.online("tower", TWO_LAYERS);

    assertThat(cluster.ring()).containsExactly("tower", "rack", "desk");
    assertThat(cluster.stage("desk").orElseThrow().firstLayer()).isEqualTo(3);
    assertThat(cluster.stage("rack").orElseThrow().firstLayer()).isEqualTo(1);
  }

  @Test
  void layersThatDoNotGoTogetherAreNotWhatWasBefore() {
    cluster.online("desk", TWO_LAYERS);
    cluster.tell("desk", ofBefore(0, 3));
    cluster.online("rack", TWO_LAYERS);

    assertThat(cluster.ring()).hasSize(2);
    assertThat(cluster.stage(cluster.ring().getFirst()).orElseThrow().endLayer()).isEqualTo(2);
  }

  private static Replica ofBefore(int first, int end) {
    return new Replica.Staged(MODEL, "of-before", Optional.of(new Replica.Layers(first, end)), GIB);
  }

  @Test
  void stagesFromBeforeTheCoordinatorsStartAreDroppedWhenNobodyElseComes() {
    FakeNodeSession desk = cluster.online("desk", TWO_LAYERS);
    cluster.tell("desk", new Replica.Staged(MODEL, "of-before", Optional.empty(), GIB));
    cluster.clock.advance(Duration.ofSeconds(31));
    cluster.deployments.tick();
    assertThat(desk.dropped()).containsExactly(MODEL);
  }

  @Test
  void aNodeThatStaysAwayFreesTheOthers() {
    List<String> ring = cluster.running();
    cluster.lose(ring.getLast());
    cluster.clock.advance(Duration.ofSeconds(31));
    cluster.deployments.tick();
    assertThat(cluster.session(ring.getFirst()).dropped()).containsExactly(MODEL);
    assertThat(cluster.deployments.obstacle(MODEL)).isPresent();
  }

  @Test
  void aStageThatFailedMovesToANodeThatCanTakeItAndStaysWhereNoneCan() {
    List<String> ring = cluster.running();
    cluster.failed(ring.getLast());
    assertThat(cluster.ring()).as("it tries again by itself").isEqualTo(ring);
    assertThat(cluster.plan(ring.getFirst())).isEqualTo("plan-1");
    assertThat(cluster.deployments.isComing(MODEL)).isFalse();
    assertThat(cluster.deployments.obstacle(MODEL))
        .hasValue(ring.getLast() + " cannot load its layers of 'big': no memory");

    cluster.online("spare", TWO_LAYERS);

    assertThat(cluster.deployments.obstacle(MODEL)).isEmpty();
    assertThat(cluster.ring()).containsExactly(ring.getFirst(), "spare");
    assertThat(cluster.session(ring.getLast()).dropped()).containsExactly(MODEL);
  }

  @Test
  void asManyNodesAsWereAskedForOrNone() {
    cluster.split(3);
    cluster.online("a", 64 * GIB);
    cluster.online("b", 64 * GIB);
    assertThat(cluster.ring()).isEmpty();
    assertThat(cluster.deployments.obstacle(MODEL))
        .hasValue(
            "big is to be split over 3 nodes, and 2 are online: they"
                + " have 128.0 GiB free for it, where 8.8 GiB are needed: memory is not missing,"
                + " but one more node with 2.3 GiB free is");
    cluster.online("c", 64 * GIB);
    assertThat(cluster.ring()).hasSize(3);

    cluster.split(1);

    assertThat(cluster.ring()).isEmpty();
    assertThat(cluster.session("a").served().getLast().stage()).isEmpty();
  }

  @Test
  void aNodeThatHoldsAllOfItEndsThePipelineOnceItIsReady() {
    List<String> ring = cluster.running();
    FakeNodeSession large = cluster.online("large", 64 * GIB);
    assertThat(large.served()).hasSize(1);
    assertThat(cluster.ring()).isEqualTo(ring);

    cluster.tell("large", new Replica.Ready(MODEL, 512, 4, "engine", true, Set.of(Use.GENERATE)));

    assertThat(cluster.ring()).isEmpty();
    assertThat(cluster.session(ring.getFirst()).dropped()).containsExactly(MODEL);
  }
}
