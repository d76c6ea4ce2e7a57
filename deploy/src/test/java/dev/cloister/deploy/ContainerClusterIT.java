package dev.cloister.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import dev.cloister.deploy.ContainerCluster.Answer;
import dev.cloister.deploy.ContainerCluster.Client;
import dev.cloister.deploy.ContainerCluster.Hop;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.slf4j.LoggerFactory;
import org.testcontainers.DockerClientFactory;

/** Clusters of hosts with addresses of their own, out of the real container image. */
@EnabledIf(value = "containersRun", disabledReason = "no Docker engine answers")
class ContainerClusterIT {
  private static final String PARIS = "The capital of France is Paris.";

  /** Says why, in one line, if they do not. */
  static boolean containersRun() {
    // It explains over many lines what it tried.
    Logger log = (Logger) LoggerFactory.getLogger("org.testcontainers");
    Level before = log.getLevel();
    log.setLevel(Level.OFF);
    try {
      if (!DockerClientFactory.instance().isDockerAvailable()) {
        System.out.println("The container tests were skipped: no Docker engine answers.");
        return false;
      }
    } finally {
      log.setLevel(before);
    }
    if (!CloisterImage.hasBase()) {
      System.out.println(
          "The container tests were skipped: install busybox, or name a base image in "
              + CloisterImage.BASE_VARIABLE
              + ".");
      return false;
    }
    return true;
  }

  @BeforeAll
  static void buildImage() throws Exception {
    new CloisterImage(DockerClientFactory.lazyClient()).build();
  }

  @Test
  void bothAgentsAnswerOverHttps() throws Exception {
    try (ContainerCluster cluster = ContainerCluster.start(2);
        ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      Client client = cluster.client();
      List<Future<Answer>> asking = new ArrayList<>();
      // More at once than one of them has slots for: one by one they go where the prompt is known.
      for (int i = 0; i < 16; i++) {
        asking.add(callers.submit(client::ask));
      }
      Set<String> nodes = new HashSet<>();
      for (Future<Answer> asked : asking) {
        Answer answer = asked.get();
        assertThat(answer.text()).isEqualTo(PARIS);
        nodes.add(answer.node().orElseThrow());
      }
      assertThat(nodes).containsExactlyInAnyOrder("agent-1", "agent-2");
    }
  }

  @Test
  void noAnswerIsMissingWhenAnAgentIsKilled() throws Exception {
    try (ContainerCluster cluster = ContainerCluster.start(2);
        ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      Client client = cluster.client();
      AtomicBoolean enough = new AtomicBoolean();
      AtomicInteger answered = new AtomicInteger();
      List<Future<List<Answer>>> asking = new ArrayList<>();
      for (int caller = 0; caller < 4; caller++) {
        asking.add(
            callers.submit(
                () -> {
                  List<Answer> answers = new ArrayList<>();
                  while (!enough.get()) {
                    answers.add(client.ask());
                    answered.incrementAndGet();
                  }
                  return answers;
                }));
      }
      try {
        Awaitility.await().until(() -> answered.get() >= 20);
        cluster.kill("agent-1");
        Awaitility.await("agent-1 is lost")
            .pollDelay(Duration.ZERO)
            .atMost(Duration.ofSeconds(3))
            .until(() -> cluster.state("agent-1").equals("lost"));
        int before = answered.get();
        Awaitility.await().until(() -> answered.get() >= before + 20);
      } finally {
        enough.set(true);
      }
      for (Future<List<Answer>> caller : asking) {
        assertThat(caller.get())
            .allSatisfy(
                answer -> {
                  assertThat(answer.status()).as(answer.text()).isEqualTo(200);
                  assertThat(answer.text()).isEqualTo(PARIS);
                });
      }
      assertThat(client.ask().node()).contains("agent-2");
    }
  }

  @Test
  void anAgentThatWasCutOffComesBackWithoutAToken() throws Exception {
    try (ContainerCluster cluster = ContainerCluster.start(1)) {
      Client client = cluster.client();
      assertThat(client.ask().text()).isEqualTo(PARIS);

      cluster.disconnect("agent-1");
      // Sent into the silence, before anyone knows.
      assertThat(client.ask().status()).isEqualTo(503);
      assertThat(cluster.state("agent-1")).isEqualTo("lost");
      assertThat(client.ask())
          .isEqualTo(
              new Answer(
                  503,
                  Optional.empty(),
                  "no node serves 'cloister-tiny' now; see: cloister node list"));

      cluster.reconnect("agent-1");
      Awaitility.await("agent-1 answers again")
          .atMost(Duration.ofSeconds(60))
          .untilAsserted(() -> assertThat(client.ask().node()).isEqualTo(Optional.of("agent-1")));
    }
  }

  @Test
  void whatHostsCannotSendEachOtherGoesThroughTheCoordinator() throws Exception {
    try (ContainerCluster cluster = ContainerCluster.startApart()) {
      Client client = cluster.client();
      assertThat(client.ask().text()).as("by one agent").isEqualTo(PARIS);
      cluster.configure("--split", "3");
      Awaitility.await("three hosts answer together")
          .atMost(Duration.ofMinutes(1))
          .untilAsserted(
              () -> {
                assertThat(cluster.ring()).hasSize(3);
                assertThat(client.ask().text()).isEqualTo(PARIS);
              });
      assertThat(cluster.hops())
          .hasSize(3)
          .anyMatch(Hop::relayed)
          .anyMatch(hop -> !hop.relayed())
          .allSatisfy(ContainerClusterIT::isRelayedWhereItMustBe);
      Awaitility.await("all ways are known")
          .atMost(Duration.ofMinutes(1))
          .untilAsserted(
              () ->
                  assertThat(cluster.plannedHops())
                      .hasSize(3)
                      .allSatisfy(ContainerClusterIT::isRelayedWhereItMustBe));
    }
  }

  /** As {@link ContainerCluster#startApart} has it. */
  private static void isRelayedWhereItMustBe(Hop hop) {
    Set<String> reachable =
        switch (hop.from()) {
          case "agent-1" -> Set.of("agent-3");
          case "agent-3" -> Set.of("agent-1", "agent-2");
          default -> Set.of();
        };
    assertThat(hop.relayed()).as(hop.toString()).isNotEqualTo(reachable.contains(hop.to()));
  }

  @Test
  void aModelOverThreeHostsOutlivesACutCable() throws Exception {
    try (ContainerCluster cluster = ContainerCluster.start(3)) {
      Client client = cluster.client();
      cluster.configure("--split", "3");
      Awaitility.await("three hosts answer together")
          .atMost(Duration.ofMinutes(1))
          .untilAsserted(
              () -> {
                assertThat(cluster.ring()).hasSize(3);
                assertThat(client.ask().text()).isEqualTo(PARIS);
              });

      String middle = cluster.ring().get(1);
      cluster.disconnect(middle);
      Answer missing = client.ask();
      assertThat(missing.status()).as(missing.text()).isEqualTo(503);
      assertThat(missing.text()).contains("is to be split over 3 nodes, and 2 are online");
      assertThat(cluster.state(middle)).isEqualTo("lost");

      cluster.configure("--split", "2");
      Awaitility.await("the others answer")
          .atMost(Duration.ofMinutes(1))
          .untilAsserted(() -> assertThat(client.ask().text()).isEqualTo(PARIS));
      assertThat(cluster.ring()).hasSize(2).doesNotContain(middle);

      cluster.configure("--split", "3");
      cluster.reconnect(middle);
      Awaitility.await("three hosts answer again")
          .atMost(Duration.ofMinutes(1))
          .untilAsserted(
              () -> {
                assertThat(cluster.ring()).hasSize(3).contains(middle);
                assertThat(client.ask().text()).isEqualTo(PARIS);
              });
    }
  }
}
