package dev.cloister.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.common.collect.ConcurrentHashMultiset;
import com.google.common.collect.Multiset;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/**
 * Confidential requests on real processes: a laptop without the label never sees one, whatever
 * happens to the nodes that have it. What the laptop saw, its own log says.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ConfidentialTest {
  private TestCluster cluster;
  private String open;
  private String confidential;
  private List<TestStreams.Streamed> undisturbed;

  @BeforeAll
  void start(@TempDir Path directory) {
    cluster = new TestCluster(directory);
    for (String name : List.of("laptop", "rack", "tower")) {
      cluster.join(name);
    }
    cluster.awaitReady("laptop", "rack", "tower");
    open = cluster.key();
    confidential =
        cluster.show("key", "create", "payroll", "--require", "class=server").path("key").asText();
    undisturbed = answers(TestStreams.all(cluster, ConcurrentHashMultiset.create()));
    assertThat(cluster.seenBy("laptop")).isPositive();
  }

  @BeforeEach
  void useTheOpenKey() {
    cluster.use(open);
  }

  @AfterAll
  void stop() {
    cluster.close();
  }

  @Test
  @Order(1)
  void without_a_node_that_may_see_it_a_request_is_refused() {
    long seen = cluster.seenBy("laptop");
    cluster.use(confidential);
    TestCluster.Answer refused = cluster.ask("What is the capital of France?");
    assertThat(refused.status()).isEqualTo(403);
    assertThat(refused.body().at("/error/message").asText())
        .isEqualTo(
            "no node of the cluster has the labels class=server, which the API key requires; they"
                + " are given with: cloister node label");
    assertThat(cluster.seenBy("laptop")).isEqualTo(seen);
  }

  @Test
  @Order(2)
  void labelled_nodes_answer_also_when_one_of_them_is_killed_or_loses_its_label() {
    JsonNode node = cluster.show("node", "label", "rack", "class=server", "site=hq");
    assertThat(node.at("/labels/class").asText()).isEqualTo("server");
    cluster.show("node", "label", "tower", "class=server");
    long seen = cluster.seenBy("laptop");
    cluster.use(confidential);

    surviving("rack", () -> cluster.agent("rack").kill());
    cluster.restart("rack");
    cluster.awaitReady("rack");
    surviving("tower", () -> cluster.show("node", "label", "tower", "class-"));
    cluster.show("node", "label", "tower", "class=server");

    assertThat(cluster.seenBy("laptop")).isEqualTo(seen);
    assertThat(cluster.seenBy("rack")).isPositive();
    cluster.use(open);
    answers(TestStreams.all(cluster, ConcurrentHashMultiset.create()));
    assertThat(cluster.seenBy("laptop")).as("open requests go on").isGreaterThan(seen);
  }

  @Test
  @Order(3)
  void a_confidential_model_is_on_labelled_nodes_only() {
    ProcessHandle engine = cluster.engine("laptop");
    JsonNode model =
        cluster.show("model", "configure", TestCluster.MODEL, "--require", "class=server");
    assertThat(model.at("/required/class").asText()).isEqualTo("server");
    long seen = cluster.seenBy("laptop");
    Awaitility.await().atMost(Duration.ofSeconds(10)).until(() -> !engine.isAlive());
    assertThat(answers(TestStreams.all(cluster, ConcurrentHashMultiset.create())))
        .isEqualTo(undisturbed);
    assertThat(cluster.seenBy("laptop")).isEqualTo(seen);

    assertThat(cluster.show("model", "configure", TestCluster.MODEL).at("/required/class").asText())
        .as("options do not touch it")
        .isEqualTo("server");
    cluster.show("model", "configure", TestCluster.MODEL, "--require", "class-");
    cluster.awaitReady("laptop");
  }

  private void surviving(String node, Runnable loss) {
    Multiset<String> pieces = ConcurrentHashMultiset.create();
    List<CompletableFuture<TestStreams.Streamed>> running = TestStreams.all(cluster, pieces);
    Awaitility.await()
        .atMost(TestCluster.PATIENCE)
        .pollInterval(Duration.ofMillis(1))
        .until(() -> pieces.count(node) > 60);
    loss.run();
    assertThat(answers(running)).isEqualTo(undisturbed);
  }

  private static List<TestStreams.Streamed> answers(
      List<CompletableFuture<TestStreams.Streamed>> running) {
    return running.stream().map(CompletableFuture::join).toList();
  }
}
