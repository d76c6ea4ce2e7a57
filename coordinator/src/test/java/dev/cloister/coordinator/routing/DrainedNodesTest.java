package dev.cloister.coordinator.routing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.coordinator.fakes.FakeNodeSession;
import dev.cloister.coordinator.fakes.FakeNodeSession.Start;
import dev.cloister.coordinator.fakes.RecordingSink;
import dev.cloister.coordinator.fakes.TestFleet;
import dev.cloister.coordinator.fleet.Drain;
import dev.cloister.coordinator.fleet.Node;
import dev.cloister.coordinator.inference.Beginning;
import dev.cloister.coordinator.inference.GenerationEvent.FinishReason;
import dev.cloister.coordinator.inference.GenerationEvent.Finished;
import dev.cloister.coordinator.inference.GenerationEvent.Started;
import dev.cloister.coordinator.inference.GenerationEvent.TextDelta;
import dev.cloister.coordinator.inference.GenerationEvent.Usage;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Nodes that get nothing new. */
class DrainedNodesTest {
  private static final Started STARTED = new Started(3, 1, "a");
  private static final TextDelta ONE = new TextDelta("one");
  private static final Finished FINISHED = new Finished(FinishReason.STOP, new Usage(3, 1, 9));

  private final TestFleet world = new TestFleet();
  private final FakeNodeSession a = new FakeNodeSession();
  private final FakeNodeSession b = new FakeNodeSession();
  private final RecordingSink sink = new RecordingSink();

  @Test
  void getNothingNewUntilTheyAreResumed() {
    Node drained = world.ready("a", a, 1);
    world.ready("b", b, 1);
    world.fleet.drain(drained, in(30));
    submit("r1");
    submit("r2");
    assertThat(a.starts()).isEmpty();
    assertThat(b.starts()).hasSize(2);

    world.fleet.resume(drained);

    submit("r3");
    assertThat(a.starts()).hasSize(1);
  }

  @Test
  void areTheReasonWhereNoOtherServesTheModel() {
    world.fleet.drain(world.ready("a", a, 1), in(30));
    submit("r");
    assertThat(sink.failure().orElseThrow().message())
        .isEqualTo("every node that serves 'tiny' is drained or paused; see: cloister node list");
  }

  @Test
  void finishTheirAnswersUntilTheDeadlineAndThenOthersGoOn() {
    Node drained = begunOnA(11, 12);
    world.ready("b", b, 1);
    world.fleet.drain(drained, in(30));
    world.clock.advance(Duration.ofSeconds(29));
    world.dispatcher.retry();
    assertThat(b.starts()).isEmpty();
    assertThat(world.dispatcher.running()).isEqualTo(Map.of(drained.id(), 1));

    world.clock.advance(Duration.ofSeconds(1));
    world.dispatcher.retry();

    assertThat(a.cancelled()).containsExactly("r");
    Start second = b.starts().getFirst();
    assertThat(second.request().beginning()).isEqualTo(new Beginning(List.of(11, 12), 1));
    second.send(new Started(3, 0, "b"));
    second.send(FINISHED);
    assertThat(sink.events()).containsExactly(STARTED, ONE, FINISHED);
    assertThat(world.dispatcher.running()).isEmpty();
  }

  @Test
  void keepAnswersThatNoOtherCanGoOnWith() {
    Node drained = begunOnA(11);
    world.fleet.drain(drained, in(0));
    world.dispatcher.retry();
    a.starts().getFirst().send(FINISHED);
    assertThat(sink.events()).containsExactly(STARTED, ONE, FINISHED);
  }

  @Test
  void keepAnswersWhoseEngineDoesNotTellItsTokens() {
    Node drained = begunOnA();
    world.ready("b", b, 1);
    world.fleet.drain(drained, in(0));
    world.dispatcher.retry();
    assertThat(b.starts()).isEmpty();
    a.starts().getFirst().send(FINISHED);
    assertThat(sink.events()).containsExactly(STARTED, ONE, FINISHED);
  }

  @Test
  void areLeftAtOnceWhereTheAgentIsBeingStopped() {
    Node stopping = begunOnA(11);
    world.ready("b", b, 1);
    world.fleet.pause(stopping.id(), a, Optional.of(new Drain(Drain.Cause.STOPPING, "", in(0))));
    assertThat(b.starts()).hasSize(1);
    assertThat(a.cancelled()).containsExactly("r");
  }

  private Node begunOnA(Integer... tokens) {
    Node node = world.ready("a", a, 1);
    submit("r");
    a.starts().getFirst().send(STARTED);
    a.starts().getFirst().send(ONE, tokens);
    return node;
  }

  private Instant in(int seconds) {
    return world.clock.instant().plusSeconds(seconds);
  }

  private void submit(String id) {
    world.dispatcher.submit(TestFleet.request(id), sink);
  }
}
