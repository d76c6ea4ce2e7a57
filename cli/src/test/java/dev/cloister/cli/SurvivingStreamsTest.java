package dev.cloister.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.collect.ConcurrentHashMultiset;
import com.google.common.collect.Multiset;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * Streams whose node is lost while they run, on real processes: callers see neither a gap nor a
 * repetition nor an error.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SurvivingStreamsTest {
  private TestCluster cluster;
  private List<TestStreams.Streamed> undisturbed;

  @BeforeAll
  void start(@TempDir Path directory) {
    cluster = new TestCluster(directory);
    cluster.join("desk");
    cluster.join("rack");
    cluster.awaitReady("desk", "rack");
    undisturbed =
        TestStreams.all(cluster, ConcurrentHashMultiset.create()).stream()
            .map(CompletableFuture::join)
            .toList();
    assertThat(undisturbed)
        .allSatisfy(answer -> assertThat(answer.completionTokens()).isGreaterThan(20));
  }

  @AfterAll
  void stop() {
    cluster.close();
  }

  @RepeatedTest(3)
  void anAgentThatIsKilledCostsNothing() {
    surviving("desk", () -> cluster.agent("desk").kill());
    cluster.restart("desk");
    cluster.awaitReady("desk");
  }

  @RepeatedTest(2)
  void anEngineThatIsKilledCostsNothing() {
    surviving("rack", () -> cluster.engine("rack").destroyForcibly());
    cluster.awaitReady("rack");
  }

  @Test
  void anAgentThatFallsSilentCostsNothing() {
    surviving("desk", () -> cluster.agent("desk").signal("STOP"));
    cluster.agent("desk").signal("CONT");
    cluster.awaitReady("desk");
  }

  @Test
  void anAgentThatIsStoppedInGoodOrderCostsNothing() {
    surviving("desk", () -> cluster.agent("desk").terminate());
    assertThat(cluster.agent("desk").awaitExit(Duration.ofSeconds(10))).isEqualTo(143);
    cluster.restart("desk");
    cluster.awaitReady("desk");
  }

  @Test
  void aNodeThatIsDrainedCostsNothingAndGetsNothingNew() {
    surviving("desk", () -> cluster.show("node", "drain", "desk", "--deadline", "0s"));
    Awaitility.await()
        .atMost(TestCluster.PATIENCE)
        .until(() -> cluster.show("node", "show", "desk").path("active_requests").asInt() == 0);
    for (int i = 0; i < 5; i++) {
      assertThat(cluster.ask("What is the capital of France?").node()).isEqualTo("rack");
    }
    assertThat(cluster.show("node", "show", "desk").at("/drain/cause").asText())
        .isEqualTo("administrator");
    cluster.show("node", "resume", "desk");
    Multiset<String> pieces = ConcurrentHashMultiset.create();
    TestStreams.all(cluster, pieces).forEach(CompletableFuture::join);
    assertThat(pieces.elementSet()).contains("desk", "rack");
  }

  /** Has all streams run, and something happen to a node while it answers. */
  private void surviving(String node, Runnable loss) {
    List<String> before = moved(node);
    Multiset<String> pieces = ConcurrentHashMultiset.create();
    List<CompletableFuture<TestStreams.Streamed>> answers = TestStreams.all(cluster, pieces);
    Awaitility.await()
        .atMost(TestCluster.PATIENCE)
        .pollInterval(Duration.ofMillis(1))
        .until(() -> pieces.count(node) > 60);
    loss.run();
    assertThat(answers.stream().map(CompletableFuture::join).toList()).isEqualTo(undisturbed);
    assertThat(moved(node))
        .as("answers that went on behind tokens")
        .filteredOn(line -> !before.contains(line))
        .anyMatch(line -> !line.endsWith(" 0 tokens"));
  }

  /** What the coordinator said of answers that left a node. */
  private List<String> moved(String node) {
    return cluster.coordinatorLog().stream()
        .filter(
            line ->
                line.contains(": " + node + " ") && line.contains("; another node goes on behind"))
        .toList();
  }
}
