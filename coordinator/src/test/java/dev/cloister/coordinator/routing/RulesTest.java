package dev.cloister.coordinator.routing;

import static dev.cloister.coordinator.fakes.TestFleet.MODEL;
import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.coordinator.fakes.FakeNodeSession;
import dev.cloister.coordinator.fakes.FakeNodeSession.Start;
import dev.cloister.coordinator.fakes.RecordingSink;
import dev.cloister.coordinator.fakes.TestFleet;
import dev.cloister.coordinator.fleet.Node;
import dev.cloister.coordinator.inference.GenerationEvent.Failed;
import dev.cloister.coordinator.inference.GenerationEvent.FailureCode;
import dev.cloister.coordinator.inference.GenerationEvent.Started;
import dev.cloister.coordinator.inference.GenerationEvent.TextDelta;
import dev.cloister.coordinator.inference.GenerationRequest;
import dev.cloister.coordinator.inference.Tenant;
import dev.cloister.coordinator.labels.Labels;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Requests that only nodes with some labels may see. */
class RulesTest {
  private static final Map<String, String> SERVER = Map.of("class", "server");
  private static final Map<String, String> HERE = Map.of("site", "hq");

  private final TestFleet world = new TestFleet();
  private final FakeNodeSession laptop = new FakeNodeSession();
  private final FakeNodeSession rack = new FakeNodeSession();
  private final RecordingSink sink = new RecordingSink();

  @BeforeEach
  void start() {
    world.ready("laptop", laptop, 4);
  }

  @Test
  void aCallersRuleAndAModelsRuleHoldBoth() {
    Node node = world.ready("rack", rack, 4);
    world.fleet.label(node, SERVER, List.of());
    world.catalog.require(MODEL, HERE, List.of());
    submit(Labels.of(SERVER));
    assertThat(refusal().code()).isEqualTo(FailureCode.NOT_ALLOWED);
    assertThat(refusal().message())
        .isEqualTo(
            "no node of the cluster has the labels site=hq and class=server, which the model and"
                + " the API key require; they are given with: cloister node label");

    world.fleet.label(node, HERE, List.of());
    submit(Labels.of(SERVER));
    submit(Labels.NONE);
    assertThat(rack.starts()).hasSize(2);
    assertThat(laptop.starts()).isEmpty();
  }

  @Test
  void aNodeThatIsAwayMakesItATemporaryRefusal() {
    Node node = world.ready("rack", rack, 4);
    world.fleet.label(node, SERVER, List.of());
    world.lose(node, rack);
    submit(Labels.of(SERVER));
    assertThat(refusal())
        .isEqualTo(
            new Failed(
                FailureCode.NO_CAPACITY,
                "no node with the labels class=server, which the API key requires, serves 'tiny'"
                    + " now; see: cloister node list"));
    assertThat(laptop.starts()).isEmpty();
  }

  @Test
  void anAnswerWhoseNodeIsLostIsNotWidened() {
    Node node = world.ready("rack", rack, 4);
    world.fleet.label(node, SERVER, List.of());
    begin(Labels.of(SERVER));
    world.lose(node, rack);
    world.clock.advance(Duration.ofSeconds(4));
    world.dispatcher.retry();
    assertThat(sink.ended()).isZero();
    FakeNodeSession heir = new FakeNodeSession();
    world.fleet.label(world.online("attic", heir), SERVER, List.of());
    world.report(TestFleet.node("attic"), heir, 1);
    assertThat(heir.starts()).hasSize(1);
    assertThat(laptop.starts()).isEmpty();
  }

  @Test
  void aNodeThatLosesItsLabelLosesTheAnswerAtOnce() {
    Node node = world.ready("rack", rack, 4);
    world.fleet.label(node, SERVER, List.of());
    begin(Labels.of(SERVER));
    FakeNodeSession attic = new FakeNodeSession();
    world.fleet.label(world.ready("attic", attic, 1), SERVER, List.of());
    world.fleet.label(node, Map.of(), List.of("class"));
    assertThat(rack.cancelled()).containsExactly("r");
    assertThat(attic.starts()).hasSize(1);
    world.fleet.label(TestFleet.node("attic"), Map.of(), List.of("class"));
    world.clock.advance(Duration.ofSeconds(5));
    world.dispatcher.retry();
    assertThat(attic.cancelled()).containsExactly("r");
    assertThat(refusal().code()).isEqualTo(FailureCode.NOT_ALLOWED);
    assertThat(laptop.starts()).isEmpty();
  }

  private void begin(Labels required) {
    submit(required);
    Start start = rack.starts().getFirst();
    start.send(new Started(3, 0, "rack"));
    start.send(new TextDelta("one"), 11);
  }

  private Failed refusal() {
    return sink.failure().orElseThrow();
  }

  private void submit(Labels required) {
    GenerationRequest plain = TestFleet.request("r");
    world.dispatcher.submit(
        new GenerationRequest(
            "r", plain.model(), Tenant.ofApiKey("k", required), plain.generation()),
        sink);
  }
}
