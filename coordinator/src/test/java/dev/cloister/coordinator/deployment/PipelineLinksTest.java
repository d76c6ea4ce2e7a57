package dev.cloister.coordinator.deployment;

import static dev.cloister.coordinator.deployment.TestPipelines.GIB;
import static dev.cloister.coordinator.deployment.TestPipelines.MODEL;
import static dev.cloister.coordinator.deployment.TestPipelines.TWO_LAYERS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.coordinator.fakes.RecordingSink;
import dev.cloister.coordinator.fakes.TestFleet;
import dev.cloister.coordinator.links.Finding;
import dev.cloister.coordinator.links.Wish;
import dev.cloister.coordinator.placement.Network.Way;
import dev.cloister.identity.ticket.PlanTicket;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the ways between its nodes mean for a pipeline. */
@SuppressWarnings("NullAway.Init")
class PipelineLinksTest {
  private @TempDir Path directory;
  private TestPipelines cluster;

  @BeforeEach
  void start() throws IOException {
    cluster = new TestPipelines(directory, 8 * GIB);
  }

  private void found(String from, String to, Finding finding) {
    if (cluster.links.note(new Way("id-" + from, "id-" + to), finding, cluster.clock.instant())) {
      cluster.deployments.linksChanged();
    }
  }

  private void settle() {
    cluster.clock.advance(Duration.ofSeconds(3));
    cluster.deployments.tick();
  }

  @Test
  void whereOneNodeCannotDialTheNextTheirTicketsNameTheCoordinator() {
    cluster.online("desk", TWO_LAYERS);
    cluster.online("rack", TWO_LAYERS);
    found("desk", "rack", new Finding.Unreachable("refused"));
    settle();
    cluster.staged("desk", "rack");
    PlanTicket desk = cluster.lastTicket("desk");
    PlanTicket rack = cluster.lastTicket("rack");
    assertThat(desk.next().relayed()).isTrue();
    assertThat(desk.previous().relayed()).as("rack reaches desk").isFalse();
    assertThat(rack.previous().relayed()).isTrue();
    assertThat(rack.next().relayed()).isFalse();
  }

  @Test
  void aRingThatDoesNotCloseIsInDoubtAndGoesThroughTheCoordinatorOnceAWayIsFoundCut() {
    cluster.online("desk", TWO_LAYERS);
    cluster.online("rack", TWO_LAYERS);
    assertThat(cluster.deployments.wish().rings()).hasSize(1);
    cluster.staged("desk", "rack");
    assertThat(cluster.deployments.wish().doubtful()).isEmpty();
    cluster.clock.advance(Duration.ofMillis(5_001));
    cluster.deployments.tick();
    assertThat(cluster.deployments.wish().doubtful()).hasSize(2);
    found("rack", "desk", new Finding.Unreachable("no answer"));
    settle();
    assertThat(cluster.lastTicket("rack").epoch()).isEqualTo(2);
    assertThat(cluster.lastTicket("rack").next().relayed()).isTrue();
    assertThat(cluster.lastTicket("rack").plan()).as("its stages stay").isEqualTo("plan-1");
  }

  @Test
  void aPipelineGivesWayToOneThatIsFarFasterAndToNoOther() {
    List<String> ring = cluster.running();
    cluster.online("spare", TWO_LAYERS);
    assertThat(cluster.ring()).isEqualTo(ring);
    for (String from : ring) {
      for (String to : ring) {
        found(from, to, new Finding.Reached(0.001, 1e8));
      }
    }
    settle();
    assertThat(cluster.ring()).as("measured as was assumed").isEqualTo(ring);
    found(ring.get(0), ring.get(1), new Finding.Reached(0.004, 1e8));
    settle();
    assertThat(cluster.ring()).as("slower, but not by much").isEqualTo(ring);

    RecordingSink sink = new RecordingSink();
    cluster.dispatcher.submit(TestFleet.request("r", MODEL), sink);
    found(ring.get(0), ring.get(1), new Finding.Reached(3, 1e5));
    settle();
    assertThat(cluster.ring()).as("it answers").isEqualTo(ring);

    cluster.session(ring.getFirst()).cancel("r");
    settle();
    assertThat(cluster.ring()).contains("spare").hasSize(2);
    assertThat(cluster.plan("spare")).isEqualTo("plan-2");
  }

  @Test
  void linksMatterOnlyWhereAModelIsSplit() {
    cluster.online("desk", 64 * GIB);
    cluster.online("rack", 64 * GIB);
    assertThat(cluster.deployments.wish()).isEqualTo(Wish.NONE);
    cluster.split(2);
    assertThat(cluster.deployments.wish().nodes()).hasSize(2);
  }
}
