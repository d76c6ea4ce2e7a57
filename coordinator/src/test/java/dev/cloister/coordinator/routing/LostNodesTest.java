package dev.cloister.coordinator.routing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.coordinator.fakes.FakeNodeSession;
import dev.cloister.coordinator.fakes.FakeNodeSession.Start;
import dev.cloister.coordinator.fakes.RecordingSink;
import dev.cloister.coordinator.fakes.TestFleet;
import dev.cloister.coordinator.fleet.Node;
import dev.cloister.coordinator.inference.GenerationEvent;
import dev.cloister.coordinator.inference.GenerationEvent.FailureCode;
import dev.cloister.coordinator.inference.GenerationEvent.Started;
import dev.cloister.coordinator.inference.GenerationSink;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Requests whose node is lost, or its engine, before or amid their answers. */
class LostNodesTest extends TestDispatch {
  @Test
  void aNodeLostBeforeAnyTextIsReplacedUnnoticed() {
    Node lost = world.ready("a", a, 1);
    Node heir = world.ready("b", b, 1);
    submit();
    a.starts().getFirst().send(STARTED);
    world.lose(lost, a);
    Start second = b.starts().getFirst();
    second.send(new Started(3, 0, "b"));
    second.send(TEXT);
    second.send(FINISHED);
    assertThat(sink.events()).containsExactly(STARTED, TEXT, FINISHED);
    assertThat(active(lost)).isZero();
    assertThat(active(heir)).isZero();
  }

  @Test
  void aNodeLostInTheMiddleOfTheTextIsOneFailure() {
    Node lost = world.ready("a", a, 1);
    world.ready("b", b, 1);
    submit();
    a.starts().getFirst().send(STARTED);
    a.starts().getFirst().send(TEXT);
    world.lose(lost, a);
    assertThat(sink.events()).containsExactly(STARTED, TEXT, FakeNodeSession.lost());
    assertThat(b.starts()).isEmpty();
    assertThat(active(lost)).isZero();
  }

  @Test
  void anAnswerThatNobodySawYetStartsOverOnAnotherNode() {
    Node lost = world.ready("a", a, 1);
    world.ready("b", b, 1);
    List<GenerationEvent> whole = new ArrayList<>();
    GenerationSink collecting =
        new GenerationSink() {
          @Override
          public void accept(GenerationEvent event) {
            whole.add(event);
          }

          @Override
          public boolean startOver() {
            whole.clear();
            return true;
          }
        };
    world.dispatcher.submit(TestFleet.request("r"), collecting);
    a.starts().getFirst().send(STARTED);
    a.starts().getFirst().send(TEXT);
    world.lose(lost, a);
    Started again = new Started(3, 0, "b");
    b.starts().getFirst().send(again);
    b.starts().getFirst().send(TEXT);
    b.starts().getFirst().send(FINISHED);
    assertThat(whole).containsExactly(again, TEXT, FINISHED);
  }

  @Test
  void aSessionThatClosedUnnoticedIsNoFailureEither() {
    world.ready("a", a, 1);
    world.ready("b", b, 1);
    a.close("broke a moment ago");
    submit();
    assertThat(b.starts()).hasSize(1);
    assertThat(sink.events()).isEmpty();
  }

  @Test
  void reasoningAndCallsAreSeenByTheCallerAsTextIs() {
    for (GenerationEvent piece :
        List.of(
            new GenerationEvent.ReasoningDelta("hm"),
            new GenerationEvent.ToolCallDelta(0, "c", "f", ""))) {
      FakeNodeSession doomed = new FakeNodeSession();
      Node lost = world.ready("a", doomed, 1);
      RecordingSink caller = new RecordingSink();
      world.dispatcher.submit(TestFleet.request("r"), caller);
      doomed.starts().getFirst().send(piece);
      world.lose(lost, doomed);
      assertThat(caller.events()).containsExactly(piece, FakeNodeSession.lost());
    }
  }

  @Test
  void aRequestThatBringsThreeNodesDownIsGivenUp() {
    FakeNodeSession deadly = new FakeNodeSession(start -> start.send(FakeNodeSession.lost()));
    for (String name : List.of("a", "b", "c", "d")) {
      world.ready(name, deadly, 1);
    }
    submit();
    assertThat(deadly.starts()).hasSize(3);
    sink.assertFailed(FailureCode.NODE_LOST, "the node was lost");
    assertThat(sink.ended()).isEqualTo(1);
  }

  @Test
  void anEngineThatRestartsGetsTheRequestAgain() {
    world.ready("a", a, 1);
    submit();
    a.starts().getFirst().send(FakeNodeSession.lost());
    world.dispatcher.retry();
    assertThat(a.starts()).hasSize(2);
    a.starts().get(1).send(FINISHED);
    assertThat(sink.events()).containsExactly(FINISHED);
  }
}
