package dev.cloister.coordinator.deployment;

import static dev.cloister.coordinator.deployment.TestPipelines.GIB;
import static dev.cloister.coordinator.deployment.TestPipelines.MODEL;
import static dev.cloister.coordinator.deployment.TestPipelines.TWO_LAYERS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.coordinator.fakes.RecordingSink;
import dev.cloister.coordinator.fakes.TestFleet;
import dev.cloister.coordinator.fleet.Node;
import dev.cloister.coordinator.inference.GenerationEvent.FailureCode;
import dev.cloister.coordinator.inference.GenerationRequest;
import dev.cloister.coordinator.inference.Tenant;
import dev.cloister.coordinator.labels.Labels;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which nodes may hold stages: not those that are drained, nor those without a label. */
@SuppressWarnings("NullAway.Init")
class PipelineNodesTest {
  private static final Map<String, String> SERVER = Map.of("class", "server");

  private @TempDir Path directory;
  private TestPipelines cluster;

  @BeforeEach
  void start() throws IOException {
    cluster = new TestPipelines(directory, 8 * GIB);
  }

  @Test
  void stagesLieOnNodesWithTheLabelsThatTheModelRequiresOnly() {
    cluster.catalog.require(MODEL, SERVER, List.of());
    cluster.online("desk", TWO_LAYERS);
    cluster.online("lap", TWO_LAYERS);
    cluster.online("rack", TWO_LAYERS);
    assertThat(cluster.ring()).isEmpty();
    assertThat(cluster.deployments.obstacle(MODEL).orElseThrow())
        .startsWith("only nodes with the labels class=server may have big, and of these: ");

    cluster.fleet.label(TestFleet.node("desk"), SERVER, List.of());
    cluster.fleet.label(TestFleet.node("rack"), SERVER, List.of());
    assertThat(cluster.ring()).containsExactlyInAnyOrder("desk", "rack");
    assertThat(cluster.session("lap").served()).isEmpty();

    cluster.fleet.label(TestFleet.node("desk"), Map.of(), List.of("class"));
    assertThat(cluster.ring()).doesNotContain("desk", "lap");
    assertThat(cluster.session("desk").dropped()).containsExactly(MODEL);
  }

  @Test
  void aCallerWhoseKeyRequiresLabelsIsAnsweredByAPipelineOfSuchNodesOnly() {
    List<String> ring = cluster.running();
    GenerationRequest plain = TestFleet.request("r", MODEL);
    GenerationRequest confidential =
        new GenerationRequest(
            "c", MODEL, Tenant.ofApiKey("k", Labels.of(SERVER)), plain.generation());
    cluster.fleet.label(TestFleet.node(ring.getFirst()), SERVER, List.of());
    RecordingSink refused = new RecordingSink();
    cluster.dispatcher.submit(confidential, refused);
    assertThat(refused.failure().orElseThrow().code()).isEqualTo(FailureCode.NO_CAPACITY);

    cluster.fleet.label(TestFleet.node(ring.getLast()), SERVER, List.of());
    cluster.dispatcher.submit(confidential, new RecordingSink());
    assertThat(cluster.session(ring.getFirst()).starts()).hasSize(1);
  }

  @Test
  void aStageLeavesADrainedNodeAfterTheDeadlineIfAnotherCanTakeIt() {
    List<String> ring = cluster.running();
    Node drained = TestFleet.node(ring.getLast());
    cluster.fleet.drain(drained, cluster.clock.instant().plusSeconds(30));
    cluster.clock.advance(Duration.ofSeconds(31));
    cluster.deployments.tick();
    assertThat(cluster.ring()).as("there is no other").isEqualTo(ring);

    cluster.fleet.resume(drained);
    cluster.online("spare", TWO_LAYERS);
    cluster.fleet.drain(drained, cluster.clock.instant().plusSeconds(30));
    assertThat(cluster.ring()).isEqualTo(ring);
    cluster.clock.advance(Duration.ofSeconds(30));
    cluster.deployments.tick();
    assertThat(cluster.ring()).containsExactly(ring.getFirst(), "spare");
    assertThat(cluster.session(ring.getLast()).dropped()).containsExactly(MODEL);
  }
}
