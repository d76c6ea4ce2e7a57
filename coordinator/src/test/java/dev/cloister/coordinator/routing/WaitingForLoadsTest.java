package dev.cloister.coordinator.routing;

import static dev.cloister.coordinator.fakes.TestFleet.MODEL;
import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.coordinator.fakes.TestFleet;
import dev.cloister.coordinator.fleet.Node;
import dev.cloister.coordinator.fleet.Replica;
import dev.cloister.coordinator.inference.GenerationEvent.FailureCode;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Requests for a model that is on its way to its first node. */
class WaitingForLoadsTest extends TestDispatch {
  @Test
  void aRequestWaitsWhileItsModelIsLoadedAndIsThenAnswered() {
    Node node = world.online("a", a);
    world.fleet.replica(node.id(), a, new Replica.Loading(MODEL, 0.1));
    submit();
    assertThat(a.starts()).isEmpty();
    assertThat(sink.events()).isEmpty();
    world.report(node, a, 1);
    a.starts().getFirst().send(FINISHED);
    assertThat(sink.events()).containsExactly(FINISHED);
  }

  @Test
  void aRequestThatWaitsCanBeCancelled() {
    Node node = world.online("a", a);
    world.fleet.replica(node.id(), a, new Replica.Loading(MODEL, 0.1));
    submit().cancel();
    world.report(node, a, 1);
    assertThat(a.starts()).isEmpty();
    assertThat(sink.events()).isEmpty();
  }

  @Test
  void waitingEndsAtTheDeadline() {
    Node node = world.online("a", a);
    world.fleet.replica(node.id(), a, new Replica.Fetching(MODEL, 0.1));
    submit();
    world.clock.advance(Duration.ofMillis(29_999));
    world.dispatcher.retry();
    assertThat(sink.events()).isEmpty();
    world.clock.advance(Duration.ofMillis(1));
    world.dispatcher.retry();
    sink.assertFailed(FailureCode.NO_CAPACITY, "the model 'tiny' is being loaded; try again");
    assertThat(sink.ended()).isEqualTo(1);
  }

  @Test
  void waitingEndsWhenTheLastNodeFailsToLoad() {
    Node node = world.online("a", a);
    world.fleet.replica(node.id(), a, new Replica.Fetching(MODEL, 0.1));
    submit();
    world.fleet.replica(node.id(), a, new Replica.Failed(MODEL, "no memory"));
    sink.assertFailed(
        FailureCode.NO_CAPACITY, "no node serves 'tiny' now; see: cloister node list");
  }

  @Test
  void noMoreThanAThousandRequestsWait() {
    Node node = world.online("a", a);
    world.fleet.replica(node.id(), a, new Replica.Loading(MODEL, 0.1));
    for (int i = 0; i < 1_000; i++) {
      world.dispatcher.submit(TestFleet.request("w" + i), event -> {});
    }
    submit();
    sink.assertFailed(FailureCode.NO_CAPACITY, "the model 'tiny' is being loaded");
  }
}
