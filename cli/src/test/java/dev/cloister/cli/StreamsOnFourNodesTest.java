package dev.cloister.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.collect.ConcurrentHashMultiset;
import com.google.common.collect.Multiset;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two hundred streams on four nodes, two of which are lost at random moments: every caller gets the
 * answer it would have got undisturbed. One round of each kind of loss, or as many as {@code
 * -Dcloister.test.rounds=10} says.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class StreamsOnFourNodesTest {
  private static final int STREAMS = 200;
  private static final int TOKENS = 40;
  private static final List<String> NODES = List.of("desk", "rack", "tower", "lap");
  private static final int ROUNDS = Integer.getInteger("cloister.test.rounds", 1);

  private final long seed = Long.getLong("cloister.test.seed", System.nanoTime());
  private final Random random = new Random(seed);
  private TestCluster cluster;
  private List<TestStreams.Streamed> undisturbed;

  /** That all answers come in. */
  private int pieces;

  @BeforeAll
  void start(@TempDir Path directory) {
    cluster = new TestCluster(directory);
    NODES.forEach(cluster::join);
    awaitAll();
    Multiset<String> came = ConcurrentHashMultiset.create();
    undisturbed = joined(TestStreams.all(cluster, STREAMS, TOKENS, came));
    pieces = came.size();
    assertThat(came.elementSet()).containsExactlyInAnyOrderElementsOf(NODES);
  }

  @AfterAll
  void stop() {
    cluster.close();
  }

  @Test
  void two_agents_that_are_killed_cost_nothing() {
    long before = moved();
    rounds(node -> cluster.agent(node).kill(), lost -> lost.forEach(node -> cluster.restart(node)));
    assertThat(moved()).isGreaterThan(before);
  }

  @Test
  void two_agents_that_fall_silent_cost_nothing() {
    long before = moved();
    rounds(
        node -> cluster.agent(node).signal("STOP"),
        lost -> {
          cluster.agent(lost.getFirst()).signal("CONT");
          cluster.agent(lost.getLast()).kill();
          cluster.restart(lost.getLast());
        });
    assertThat(moved()).isGreaterThan(before);
  }

  @Test
  void two_nodes_that_are_drained_cost_nothing() {
    rounds(
        node -> cluster.show("node", "drain", node, "--deadline", "0s"),
        lost -> lost.forEach(node -> cluster.show("node", "resume", node)));
  }

  private void rounds(Consumer<String> loss, Consumer<List<String>> back) {
    for (int round = 1; round <= ROUNDS; round++) {
      List<String> nodes = new ArrayList<>(NODES);
      Collections.shuffle(nodes, random);
      List<String> lost = nodes.subList(0, 2);
      int[] moments = IntStream.generate(this::moment).limit(2).sorted().toArray();
      String story =
          "round %d, seed %d: %s lost behind %d and %d of %d pieces"
              .formatted(round, seed, lost, moments[0], moments[1], pieces);
      Multiset<String> came = ConcurrentHashMultiset.create();
      List<CompletableFuture<TestStreams.Streamed>> answers =
          TestStreams.all(cluster, STREAMS, TOKENS, came);
      for (int i = 0; i < moments.length; i++) {
        int moment = moments[i];
        Awaitility.await(story)
            .atMost(TestCluster.PATIENCE)
            .pollInterval(Duration.ofMillis(1))
            .until(() -> came.size() >= moment);
        loss.accept(lost.get(i));
      }
      assertThat(joined(answers)).as(story).isEqualTo(undisturbed);
      back.accept(lost);
      awaitAll();
    }
  }

  /** Neither before most nodes have begun nor when nearly all is told. */
  private int moment() {
    return pieces / 20 + random.nextInt(pieces * 7 / 10);
  }

  private void awaitAll() {
    cluster.awaitReady(NODES.toArray(String[]::new));
  }

  private static List<TestStreams.Streamed> joined(
      List<CompletableFuture<TestStreams.Streamed>> answers) {
    return answers.stream().map(CompletableFuture::join).toList();
  }

  /** How often the coordinator said that an answer goes on elsewhere. */
  private long moved() {
    return cluster.coordinatorLog().stream()
        .filter(line -> line.contains("; another node goes on behind"))
        .count();
  }
}
