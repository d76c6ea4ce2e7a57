package dev.cloister.coordinator.routing;

import dev.cloister.coordinator.fakes.FakeNodeSession;
import dev.cloister.coordinator.fakes.RecordingSink;
import dev.cloister.coordinator.fakes.TestFleet;
import dev.cloister.coordinator.fleet.Node;
import dev.cloister.coordinator.inference.GenerationEvent.FinishReason;
import dev.cloister.coordinator.inference.GenerationEvent.Finished;
import dev.cloister.coordinator.inference.GenerationEvent.Started;
import dev.cloister.coordinator.inference.GenerationEvent.TextDelta;
import dev.cloister.coordinator.inference.GenerationEvent.Usage;

/** A dispatcher with a caller, and two nodes that a test has join and answer. */
abstract class TestDispatch {
  static final Started STARTED = new Started(3, 0, "a");
  static final TextDelta TEXT = new TextDelta("hello");
  static final Finished FINISHED = new Finished(FinishReason.STOP, new Usage(3, 0, 10));

  final TestFleet world = new TestFleet();
  final FakeNodeSession a = new FakeNodeSession();
  final FakeNodeSession b = new FakeNodeSession();
  final RecordingSink sink = new RecordingSink();

  ActiveRequest submit() {
    return world.dispatcher.submit(TestFleet.request("r"), sink);
  }

  int active(Node node) {
    return world.dispatcher.candidates().active(node.id(), TestFleet.MODEL);
  }
}
