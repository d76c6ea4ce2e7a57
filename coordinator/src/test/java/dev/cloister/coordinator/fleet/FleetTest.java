package dev.cloister.coordinator.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.coordinator.fakes.FakeNodeSession;
import dev.cloister.coordinator.fakes.TestFleet;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class FleetTest {
  private final TestFleet world = new TestFleet();
  private final Fleet fleet = world.fleet;
  private final FakeNodeSession session = new FakeNodeSession();
  private final AtomicInteger attached = new AtomicInteger();
  private final AtomicInteger changes = new AtomicInteger();

  @BeforeEach
  void listen() {
    fleet.addListener(
        new FleetListener() {
          @Override
          public void attached(Node node, NodeSession opened, Capability capability) {
            attached.incrementAndGet();
          }

          @Override
          public void changed(Set<String> nodeIds) {
            changes.incrementAndGet();
          }
        });
  }

  @Test
  void aNodeThatJoinedIsOfflineUntilItOpensASession() {
    Node node = TestFleet.node("desk");
    fleet.declare(node);
    assertThat(fleet.find(node.id())).hasValue(node);
    assertThat(state("desk")).isEqualTo(NodeState.OFFLINE);
    fleet.attach(node, session, "0.1.0", TestFleet.machine(1), "", Set.of());
    assertThat(state("desk")).isEqualTo(NodeState.ONLINE);
    assertThat(fleet.session(node.id())).containsSame(session);
    assertThat(attached).hasValue(1);
  }

  @Test
  void nodesAreListedByName() {
    for (String name : List.of("rack", "attic", "desk")) {
      world.online(name, new FakeNodeSession());
    }
    assertThat(fleet.nodes())
        .extracting(view -> view.node().name())
        .containsExactly("attic", "desk", "rack");
  }

  @Test
  void aSecondSessionReplacesTheFirstWhoseNewsIsThenIgnored() {
    Node node = world.ready("desk", session, 1);
    FakeNodeSession second = new FakeNodeSession();
    world.online("desk", second);
    assertThat(session.closedFor()).hasValue("the node opened another session");
    assertThat(view("desk").ready(TestFleet.MODEL)).isEmpty();

    world.report(node, session, 1);
    assertThat(view("desk").ready(TestFleet.MODEL)).isEmpty();
    fleet.detach(node.id(), session, NodeState.LOST);
    assertThat(state("desk")).isEqualTo(NodeState.ONLINE);
    assertThat(second.closedFor()).isEmpty();
  }

  @Test
  void aNodeThatFellSilentIsLostRightAfterTheLimit() {
    world.ready("desk", session, 1);
    world.clock.advance(TestFleet.SILENCE_LIMIT);
    fleet.sweep();
    assertThat(state("desk")).isEqualTo(NodeState.ONLINE);
    world.clock.advance(Duration.ofMillis(1));
    fleet.sweep();
    assertThat(state("desk")).isEqualTo(NodeState.LOST);
    assertThat(session.closedFor()).hasValue("the node was silent for 2500 ms");
    assertThat(fleet.session(view("desk").node().id())).isEmpty();
    assertThat(view("desk").replicas()).isEmpty();
  }

  @Test
  void allThatFellSilentAreLostAtOnce() {
    List<FakeNodeSession> sessions = Stream.generate(FakeNodeSession::new).limit(5).toList();
    for (int i = 0; i < 5; i++) {
      world.online("n" + i, sessions.get(i));
    }
    world.clock.advance(TestFleet.SILENCE_LIMIT.plusMillis(1));
    fleet.sweep();
    assertThat(changes).hasValue(1);
    assertThat(sessions).allMatch(each -> each.closedFor().isPresent());
    fleet.sweep();
    assertThat(changes).hasValue(1);
  }

  @Test
  void everyReportIsASignOfLife() {
    Node node = world.online("desk", session);
    for (int i = 0; i < 10; i++) {
      world.clock.advance(Duration.ofSeconds(1));
      fleet.report(node.id(), session, new Load(0.5, 1 << 20, 0));
      fleet.sweep();
    }
    assertThat(state("desk")).isEqualTo(NodeState.ONLINE);
    assertThat(view("desk").load()).hasValue(new Load(0.5, 1 << 20, 0));
    assertThat(view("desk").lastSeen()).hasValue(world.clock.instant());
  }

  @Test
  void aGoodbyeIsNoLoss() {
    Node node = world.online("desk", session);
    fleet.detach(node.id(), session, NodeState.OFFLINE);
    assertThat(state("desk")).isEqualTo(NodeState.OFFLINE);
    assertThat(changes).hasValue(1);
  }

  @Test
  void progressIsNoNewsAndAChangeOfStateIs() {
    Node node = world.online("desk", session);
    for (int percent = 0; percent <= 100; percent++) {
      fleet.replica(node.id(), session, new Replica.Fetching(TestFleet.MODEL, percent / 100.0));
    }
    assertThat(changes).hasValue(1);
    assertThat(view("desk").replicas()).containsExactly(new Replica.Fetching(TestFleet.MODEL, 1.0));
    world.report(node, session, 2);
    assertThat(changes).hasValue(2);
    fleet.replica(node.id(), session, new Replica.Failed(TestFleet.MODEL, "no memory"));
    assertThat(changes).hasValue(3);
    assertThat(view("desk").ready(TestFleet.MODEL)).isEmpty();
  }

  @Test
  void whatAnEngineTakesIsNoNews() {
    Node node = world.online("desk", session);
    fleet.replica(
        node.id(), session, new Replica.Staged(TestFleet.MODEL, "plan", Optional.empty(), 5));
    fleet.resident(node.id(), session, TestFleet.MODEL, 7);
    fleet.resident(node.id(), session, "unknown", 7);
    assertThat(changes).hasValue(1);
    assertThat(view("desk").replicas())
        .containsExactly(new Replica.Staged(TestFleet.MODEL, "plan", Optional.empty(), 7));
  }

  private NodeState state(String name) {
    return view(name).state();
  }

  private NodeView view(String name) {
    return fleet.nodes().stream()
        .filter(view -> view.node().name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void aDrainOutlivesTheSessionAndAPauseDoesNot() {
    Node node = world.online("desk", session);
    Drain paused = new Drain(Drain.Cause.OWNER, "on battery", world.clock.instant());
    fleet.pause(node.id(), new FakeNodeSession(), Optional.of(paused));
    assertThat(view("desk").isOpen()).as("another session said it").isTrue();
    fleet.pause(node.id(), session, Optional.of(paused));
    assertThat(view("desk").drain()).hasValue(paused);
    fleet.drain(node, Instant.EPOCH);
    assertThat(view("desk").drain()).hasValue(Drain.byAdministrator(Instant.EPOCH));

    world.lose(node, session);
    world.online("desk", session);
    assertThat(view("desk").drain()).hasValue(Drain.byAdministrator(Instant.EPOCH));
    fleet.resume(node);
    assertThat(view("desk").isOpen()).isTrue();
  }
}
