package dev.cloister.coordinator.routing;

import static dev.cloister.coordinator.fakes.TestFleet.MODEL;
import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.coordinator.fakes.FakeNodeSession;
import dev.cloister.coordinator.fakes.FakeNodeSession.Start;
import dev.cloister.coordinator.fakes.RecordingSink;
import dev.cloister.coordinator.fakes.TestFleet;
import dev.cloister.coordinator.fleet.Node;
import dev.cloister.coordinator.inference.GenerationEvent.FinishReason;
import dev.cloister.coordinator.inference.GenerationEvent.Finished;
import dev.cloister.coordinator.inference.GenerationEvent.Usage;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Two nodes with a model, of which the first has another one as well. */
class NodesOfSeveralModelsTest {
  private static final String OTHER = "org/big:v1";

  private final TestFleet world = new TestFleet();
  private final FakeNodeSession both = new FakeNodeSession();
  private final FakeNodeSession one = new FakeNodeSession();
  private int submitted;

  @BeforeEach
  void start() {
    Node node = world.ready("both", both, 4);
    world.report(node, both, OTHER, 4);
    world.ready("one", one, 4);
  }

  @Test
  void aNodeThatIsBusyWithAnotherModelIsTheSlowerOne() {
    submit(OTHER);
    submit(OTHER);
    submit(MODEL);
    assertThat(models(both)).containsExactly(OTHER, OTHER);
    assertThat(models(one)).containsExactly(MODEL);
  }

  @Test
  void whatIsOverSlowsNothingAnyMore() {
    submit(OTHER);
    both.starts().getFirst().send(new Finished(FinishReason.STOP, new Usage(3, 0, 10)));
    submit(MODEL);
    submit(MODEL);
    assertThat(models(both)).containsExactly(OTHER, MODEL);
    assertThat(models(one)).containsExactly(MODEL);
  }

  @Test
  void aModelThatComesToANodeThatIsBusyKnowsOfIt() {
    FakeNodeSession late = new FakeNodeSession();
    Node node = world.online("late", late);
    world.report(node, late, OTHER, 4);
    submit(OTHER);
    submit(OTHER);
    assertThat(models(late)).containsExactly(OTHER);
    world.report(node, late, MODEL, 4);
    submit(MODEL);
    assertThat(models(one)).containsExactly(MODEL);
  }

  private void submit(String model) {
    world.dispatcher.submit(TestFleet.request("r" + ++submitted, model), new RecordingSink());
  }

  private static List<String> models(FakeNodeSession node) {
    return node.starts().stream().map(Start::request).map(request -> request.model()).toList();
  }
}
