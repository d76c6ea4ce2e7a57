package dev.cloister.agent.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import dev.cloister.agent.stage.TestRing.Node;
import dev.cloister.proto.engine.v1.StageFrame;
import dev.cloister.proto.engine.v1.Step;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Three agents' stages in a ring. */
@Timeout(60)
class StageRingTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final int MIB = 1 << 20;

  private final Path directory;
  private final TestRing ring;
  private final StageEngine first;

  StageRingTest(@TempDir Path directory) throws IOException {
    this.directory = directory;
    ring = new TestRing(directory, 3, Duration.ofSeconds(10));
    first = ring.nodes.getFirst().engine();
  }

  @AfterEach
  void stop() {
    ring.close();
  }

  @Test
  void framesGoRoundUnchangedAndInOrder() throws InterruptedException {
    ring.connect("p1", 1);
    for (int i = 1; i <= 500; i++) {
      first.send(frame(i, i * 100));
    }
    for (int i = 1; i <= 500; i++) {
      assertThat(arrived()).isEqualTo(frame(i, i * 100));
    }
  }

  @Test
  void aFrameMayHold32MiBOfHiddenStates() throws InterruptedException {
    ring.connect("p1", 1);
    first.send(frame(1, 32 * MIB));
    first.send(frame(2, 10));
    assertThat(arrived()).isEqualTo(frame(1, 32 * MIB));
    assertThat(arrived()).isEqualTo(frame(2, 10));
  }

  @Test
  void ticketsMayComeInAnyOrder() throws InterruptedException {
    ring.connect("p1", 1, 0);
    first.send(frame(1, 100_000));
    ring.connect("p1", 1, 2);
    ring.connect("p1", 1, 1);
    assertThat(arrived()).isEqualTo(frame(1, 100_000));
  }

  @Test
  void aHigherEpochReplacesTheStreamsAndALowerOneDoesNot() throws InterruptedException {
    ring.connect("p1", 1);
    first.send(frame(1, 10));
    assertThat(arrived()).isEqualTo(frame(1, 10));

    ring.connect("p1", 3);
    assertEnded(1);
    first.send(frame(1, 20));
    assertThat(arrived()).isEqualTo(frame(1, 20));

    ring.connect("p1", 2);
    ring.connect("p1", 3);
    first.send(frame(2, 30));
    assertThat(arrived()).isEqualTo(frame(2, 30));
    assertThat(first.ends).hasSize(1);
  }

  @Test
  void anotherPlanTakesTheEngineOver() throws InterruptedException {
    ring.connect("p1", 7);
    first.send(frame(1, 10));
    assertThat(arrived()).isEqualTo(frame(1, 10));
    ring.nodes.forEach(node -> node.stages().disconnect("model of p1"));
    assertEnded(1);
    ring.connect("p2", 1);
    first.send(frame(1, 20));
    assertThat(arrived()).isEqualTo(frame(1, 20));
  }

  @Test
  void theLossOfAnEngineEndsEveryStageOfTheRing() throws InterruptedException {
    ring.connect("p1", 1);
    first.send(frame(1, 10));
    assertThat(arrived()).isNotNull();
    ring.nodes.get(1).engine().die();
    assertEnded(1, ring.nodes.get(0), ring.nodes.get(2));
  }

  @Test
  void theLossOfAnAgentEndsEveryStageOfTheRing() throws InterruptedException {
    ring.connect("p1", 1);
    first.send(frame(1, 10));
    assertThat(arrived()).isNotNull();
    ring.nodes.get(2).listener().close();
    assertEnded(1);
  }

  @Test
  void anEngineThatFallsSilentEndsTheRing() throws InterruptedException {
    ring.connect("p1", 1);
    first.send(frame(1, 10));
    assertThat(arrived()).isNotNull();
    CountDownLatch silence = new CountDownLatch(1);
    ring.nodes.get(1).engine().fallSilent(silence);
    assertEnded(1, ring.nodes.get(0), ring.nodes.get(2));
    silence.countDown();
  }

  @Test
  void anAgentThatFallsSilentEndsTheRing() throws InterruptedException {
    ring.connect("p1", 1);
    first.send(frame(1, 10));
    assertThat(arrived()).isNotNull();
    CountDownLatch silence = new CountDownLatch(1);
    var _ =
        ring.nodes
            .get(1)
            .thread()
            .group()
            .submit(() -> silence.await(PATIENCE.toSeconds(), TimeUnit.SECONDS));
    assertEnded(1, ring.nodes.get(0), ring.nodes.get(2));
    silence.countDown();
  }

  @Test
  void aRingThatBrokeIsClosedAgainInTheNextEpoch() throws InterruptedException {
    ring.connect("p1", 1);
    first.send(frame(1, 10));
    assertThat(arrived()).isNotNull();
    ring.nodes.get(1).stages().disconnect("model of p1");
    assertEnded(1);
    ring.connect("p1", 2);
    first.send(frame(1, 10));
    assertThat(arrived()).isEqualTo(frame(1, 10));
  }

  @Test
  void aFrameThatAnEngineRefusesEndsTheRing() throws InterruptedException {
    ring.connect("p1", 1);
    first.send(frame(1, 10));
    assertThat(arrived()).isNotNull();
    first.send(frame(StageEngine.BAD_NUMBER, 10));
    assertEnded(1, ring.nodes.get(0), ring.nodes.get(2));
  }

  @Test
  void aSlowStageHoldsTheOthersBackAndNothingPilesUp() throws InterruptedException {
    StageEngine last = ring.nodes.get(2).engine();
    last.reading = false;
    ring.connect("p1", 1);
    int sent = 0;
    // Not ready for a whole second: all buffers on the way are full.
    while (waitUntilReady()) {
      first.send(frame(++sent, MIB));
    }
    assertThat(sent).isBetween(1, 200);
    last.readOn();
    for (int i = 1; i <= sent; i++) {
      assertThat(arrived()).isEqualTo(frame(i, MIB));
    }
  }

  @Test
  void aFrameThatIsTooLargeEndsItsOwnRingOnly() throws Exception {
    ring.connect("p1", 1);
    try (StageEngine a = engine("a", 0);
        StageEngine b = engine("b", 1);
        StageEngine c = engine("c", 2)) {
      ring.connect("p2", 1, 0, a);
      ring.connect("p2", 1, 1, b);
      ring.connect("p2", 1, 2, c);
      a.send(frame(1, 10));
      assertThat(a.kept.poll(20, TimeUnit.SECONDS)).isNotNull();
      a.send(frame(2, 64 * MIB));
      await().atMost(PATIENCE).until(() -> a.ends.size() == 1 && c.ends.size() == 1);
    }
    first.send(frame(1, 1000));
    assertThat(arrived()).isEqualTo(frame(1, 1000));
    assertThat(first.ends).isEmpty();
  }

  private StageEngine engine(String name, int stage) throws IOException {
    return new StageEngine(
        directory.resolve(name + ".sock"), stage == 0, ring.nodes.get(stage).thread());
  }

  private boolean waitUntilReady() throws InterruptedException {
    for (int i = 0; i < 100; i++) {
      if (first.isReady()) {
        return true;
      }
      TimeUnit.MILLISECONDS.sleep(10);
    }
    return false;
  }

  private void assertEnded(int times) {
    assertEnded(times, ring.nodes.toArray(Node[]::new));
  }

  private static void assertEnded(int times, Node... nodes) {
    for (Node node : nodes) {
      await()
          .atMost(PATIENCE)
          .pollInterval(Duration.ofMillis(5))
          .untilAsserted(
              () ->
                  assertThat(node.engine().ends)
                      .hasSize(times)
                      .extracting(Status::getCode)
                      .containsOnly(Status.Code.CANCELLED));
    }
  }

  private StageFrame arrived() throws InterruptedException {
    StageFrame frame = first.kept.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    assertThat(frame).isNotNull();
    return frame;
  }

  private static StageFrame frame(long number, int bytes) {
    byte[] hidden = new byte[bytes];
    new Random(number).nextBytes(hidden);
    return StageFrame.newBuilder()
        .setNumber(number)
        .setStep(Step.newBuilder().setHidden(ByteString.copyFrom(hidden)))
        .build();
  }
}
