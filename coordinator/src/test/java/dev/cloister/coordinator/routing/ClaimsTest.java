package dev.cloister.coordinator.routing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.coordinator.fakes.FakeNodeSession;
import dev.cloister.coordinator.fakes.FakeNodeSession.Start;
import dev.cloister.coordinator.fakes.RecordingSink;
import dev.cloister.coordinator.fakes.TestFleet;
import dev.cloister.coordinator.fleet.Node;
import dev.cloister.coordinator.inference.GenerationEvent.FinishReason;
import dev.cloister.coordinator.inference.GenerationEvent.Finished;
import dev.cloister.coordinator.inference.GenerationEvent.Started;
import dev.cloister.coordinator.inference.GenerationEvent.TextDelta;
import dev.cloister.coordinator.inference.GenerationEvent.Usage;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Two nodes, of which one says that it has a terabyte of everything. */
class ClaimsTest {
  private static final int TOKENS = 64;

  private final TestFleet world = new TestFleet();
  private final FakeNodeSession boaster = new FakeNodeSession();
  private final FakeNodeSession honest = new FakeNodeSession();
  private int submitted;

  @BeforeEach
  void start() {
    Node node = TestFleet.node("boaster");
    world.fleet.declare(node);
    world.fleet.attach(
        node,
        boaster,
        "0.1.0",
        TestFleet.machineWithGpu(1L << 40, 1L << 40),
        "boaster:7444",
        Set.of());
    world.report(node, boaster, 4);
    world.ready("honest", honest, 4);
  }

  @Test
  void aClaimThatNobodySawGainsNothing() {
    for (int i = 0; i < 8; i++) {
      submit();
    }
    assertThat(boaster.starts()).hasSize(4);
    assertThat(honest.starts()).hasSize(4);
  }

  @Test
  void whatWasSeenCountsInstead() {
    for (int i = 0; i < 10; i++) {
      answerOne();
    }
    int before = boaster.starts().size();
    for (int i = 0; i < 10; i++) {
      answerOne();
    }
    assertThat(before).isPositive();
    assertThat(boaster.starts()).hasSize(before);
  }

  /** The one that boasts takes five times as long for a token. */
  private void answerOne() {
    int ofBoaster = boaster.starts().size();
    submit();
    boolean slow = boaster.starts().size() > ofBoaster;
    Start start = (slow ? boaster : honest).starts().getLast();
    start.send(new Started(3, 0, ""));
    for (int token = 0; token < TOKENS; token++) {
      world.clock.advance(Duration.ofMillis(slow ? 100 : 20));
      start.send(new TextDelta("some"));
    }
    start.send(new Finished(FinishReason.STOP, new Usage(3, 0, TOKENS)));
  }

  private void submit() {
    world.dispatcher.submit(TestFleet.request("r" + ++submitted), new RecordingSink());
  }
}
