package dev.cloister.coordinator.deployment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cloister.coordinator.catalog.ModelContents;
import dev.cloister.coordinator.fakes.FakeNodeSession;
import dev.cloister.coordinator.fakes.TestFleet;
import dev.cloister.coordinator.links.Links;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class DeploymentsTest {
  private final TestFleet cluster = new TestFleet();
  private final AtomicInteger decisions = new AtomicInteger();
  private final CountDownLatch gate = new CountDownLatch(1);

  @Test
  void whatChangesWhileADecisionIsMadeIsTakenTogetherByTheNext() throws InterruptedException {
    Deployments deployments = deployments(this::behindTheGate);
    List<Thread> changes = new ArrayList<>();
    changes.add(Thread.ofPlatform().start(() -> deployments.changed(Set.of())));
    await().until(() -> decisions.get() == 1);
    for (int i = 0; i < 5; i++) {
      changes.add(Thread.ofPlatform().start(() -> deployments.changed(Set.of())));
    }
    await()
        .until(() -> changes.stream().skip(1).allMatch(t -> t.getState() == Thread.State.BLOCKED));
    gate.countDown();
    for (Thread change : changes) {
      change.join();
    }
    assertThat(decisions).hasValue(2);

    deployments.changed(Set.of());
    assertThat(decisions).hasValue(3);
  }

  /** A decision asks for the time once. */
  private Instant behindTheGate() {
    decisions.incrementAndGet();
    try {
      gate.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return cluster.clock.instant();
  }

  @Test
  void ofManyNodesThatComeAtOnceEachIsToldBeforeItsSessionGoesOn() throws InterruptedException {
    cluster.fleet.addListener(deployments(cluster.clock));
    Queue<Integer> told = new ConcurrentLinkedQueue<>();
    List<Thread> arrivals =
        IntStream.range(0, 200)
            .mapToObj(
                i ->
                    Thread.ofVirtual()
                        .start(
                            () -> {
                              FakeNodeSession session = new FakeNodeSession();
                              cluster.online("node" + i, session);
                              told.add(session.served().size());
                            }))
            .toList();
    for (Thread arrival : arrivals) {
      arrival.join();
    }
    assertThat(told).hasSize(200).containsOnly(2);
  }

  private Deployments deployments(InstantSource clock) {
    return new Deployments(
        cluster.catalog,
        cluster.fleet,
        new Links(),
        new ModelContents(new NoModelFiles()),
        clock,
        () -> "plan");
  }
}
