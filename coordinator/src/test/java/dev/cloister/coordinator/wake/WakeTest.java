package dev.cloister.coordinator.wake;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.coordinator.fakes.FakeNodeSession;
import dev.cloister.coordinator.fakes.RecordingSink;
import dev.cloister.coordinator.fakes.TestFleet;
import dev.cloister.coordinator.fleet.Capability;
import dev.cloister.coordinator.fleet.Node;
import dev.cloister.coordinator.fleet.NodeState;
import dev.cloister.coordinator.fleet.NodeView;
import dev.cloister.coordinator.fleet.WakeAddress;
import dev.cloister.coordinator.inference.GenerationEvent.FinishReason;
import dev.cloister.coordinator.inference.GenerationEvent.Finished;
import dev.cloister.coordinator.inference.GenerationEvent.Usage;
import dev.cloister.coordinator.routing.Dispatcher;
import dev.cloister.coordinator.routing.Outlook;
import java.lang.reflect.Method;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class WakeTest {
  private static final String HARDWARE = "00:1b:44:11:3a:b7";

  private final TestFleet world = new TestFleet();
  private final List<String> woken = new ArrayList<>();
  private final Dispatcher dispatcher =
      new Dispatcher(
          world.catalog,
          world.fleet,
          new WakingOutlook(
              Outlook.NONE, world.fleet, view -> woken.add(view.node().name()), world.clock),
          world.clock);
  private final FakeNodeSession session = new FakeNodeSession();
  private final RecordingSink sink = new RecordingSink();

  /** Those with a default would be forgotten without a word. */
  @Test
  void whatIsAskedOfAnOutlookIsAskedOfTheOneBehindIt() {
    List<String> asked = Arrays.stream(Outlook.class.getMethods()).map(Method::getName).toList();
    assertThat(asked).contains("wantedBySome");
    assertThat(Arrays.stream(WakingOutlook.class.getDeclaredMethods()).map(Method::getName))
        .containsAll(asked);
  }

  @Test
  void sixBytesOfOnesAndTheAddressSixteenTimesAreSent() throws Exception {
    try (DatagramSocket sleeper = new DatagramSocket(0, InetAddress.ofLiteral("127.0.0.1"))) {
      sleeper.setSoTimeout(5_000);
      asleep("lap");
      new Waker(sleeper.getLocalPort()).wake(view("lap"));
      DatagramPacket heard = new DatagramPacket(new byte[200], 200);
      sleeper.receive(heard);
      assertThat(HexFormat.of().formatHex(Arrays.copyOf(heard.getData(), heard.getLength())))
          .isEqualTo("f".repeat(12) + HARDWARE.replace(":", "").repeat(16));
    }
  }

  @Test
  void aNodeIsWokenThatHadTheModelAndTheRequestWaitsForIt() {
    world.fleet.addListener(dispatcher);
    Node node = asleep("lap");
    assertThat(Waker.canWake(view("lap"))).isTrue();
    dispatcher.submit(TestFleet.request("r"), sink);
    assertThat(woken).containsExactly("lap");
    assertThat(sink.ended()).isZero();

    FakeNodeSession awake =
        new FakeNodeSession(
            start -> start.send(new Finished(FinishReason.STOP, new Usage(1, 0, 1))));
    attach(node, awake);
    assertThat(Waker.canWake(view("lap"))).isFalse();
    dispatcher.retry();
    assertThat(sink.failure()).isEmpty();
    assertThat(sink.ended()).isEqualTo(1);
  }

  @Test
  void wakingHasItsLimits() {
    asleep("a");
    asleep("b");
    Node drained = asleep("c");
    world.fleet.drain(drained, Instant.EPOCH);
    dispatcher.submit(TestFleet.request("r", "org/big:v1"), new RecordingSink());
    assertThat(woken).as("none had it").isEmpty();
    dispatcher.submit(TestFleet.request("r1"), sink);
    dispatcher.retry();
    assertThat(woken).containsExactly("a");
    world.clock.advance(Duration.ofSeconds(10));
    dispatcher.retry();
    assertThat(woken).containsExactly("a", "b");
    world.clock.advance(Duration.ofSeconds(40));
    dispatcher.retry();
    assertThat(woken).hasSize(2);
    assertThat(sink.failure()).as("it waited for long enough").isPresent();
    world.clock.advance(Duration.ofSeconds(20));
    dispatcher.submit(TestFleet.request("r2"), new RecordingSink());
    assertThat(woken).containsExactly("a", "b", "a");
  }

  @Test
  void aNodeWithoutTheLabelsOfTheRequestSleepsOn() {
    asleep("lap");
    world.catalog.require(TestFleet.MODEL, Map.of("class", "server"), List.of());
    dispatcher.submit(TestFleet.request("r"), sink);
    assertThat(woken).isEmpty();
  }

  @Test
  void aNodeThatBrokeOffIsTakenForAsleepAfterAMinuteOnly() {
    Node node = TestFleet.node("lap");
    world.fleet.declare(node);
    attach(node, session);
    world.lose(node, session);
    dispatcher.submit(TestFleet.request("r1"), sink);
    assertThat(woken).isEmpty();
    assertThat(sink.failure()).isPresent();
    world.clock.advance(Duration.ofSeconds(61));
    dispatcher.submit(TestFleet.request("r2"), new RecordingSink());
    assertThat(woken).containsExactly("lap");
  }

  private Node asleep(String name) {
    Node node = TestFleet.node(name);
    world.fleet.declare(node);
    attach(node, session);
    world.fleet.detach(node.id(), session, NodeState.OFFLINE);
    return node;
  }

  private void attach(Node node, FakeNodeSession opened) {
    Capability plain = TestFleet.machine(8L << 30);
    Capability wakeable =
        new Capability(
            plain.hostName(),
            plain.operatingSystem(),
            plain.architecture(),
            plain.cpu(),
            plain.memoryTotalBytes(),
            plain.memoryAvailableBytes(),
            plain.diskTotalBytes(),
            plain.diskFreeBytes(),
            plain.battery(),
            List.of(
                new Capability.NetworkLink("eth0", 0, false, WakeAddress.of(HARDWARE, "127.0.0.1")),
                new Capability.NetworkLink("lo", 0, false, Optional.empty())),
            List.of(),
            plain.engines());
    world.fleet.attach(node, opened, "0.1.0", wakeable, "", Set.of());
    world.report(node, opened, 1);
  }

  private NodeView view(String name) {
    return world.fleet.view(TestFleet.node(name).id()).orElseThrow();
  }
}
