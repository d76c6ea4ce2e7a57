package dev.cloister.coordinator.routing;

import static dev.cloister.coordinator.fakes.TestFleet.MODEL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.cloister.coordinator.fakes.FakeNodeSession;
import dev.cloister.coordinator.fakes.FakeNodeSession.Start;
import dev.cloister.coordinator.fakes.RecordingSink;
import dev.cloister.coordinator.fakes.TestFleet;
import dev.cloister.coordinator.fleet.Node;
import dev.cloister.coordinator.fleet.Replica;
import dev.cloister.coordinator.fleet.Replica.Ready.Use;
import dev.cloister.coordinator.inference.EngineSink;
import dev.cloister.coordinator.inference.Generation;
import dev.cloister.coordinator.inference.GenerationEvent;
import dev.cloister.coordinator.inference.GenerationEvent.FailureCode;
import dev.cloister.coordinator.inference.GenerationRequest;
import dev.cloister.coordinator.inference.Sampling;
import dev.cloister.coordinator.inference.prompt.AnswerFormat;
import dev.cloister.coordinator.inference.prompt.Prompt;
import dev.cloister.coordinator.routing.choice.Candidate;
import dev.cloister.coordinator.routing.prefix.PromptMarks;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class DispatcherTest extends TestDispatch {
  @Test
  void anAnswerReachesTheCallerInOrderAndIsMeasured() {
    Node node = world.ready("a", a, 1);
    submit();
    Start start = a.starts().getFirst();
    start.send(STARTED);
    assertThat(active(node)).isEqualTo(1);
    assertThat(entry(node).pendingTokens()).isEqualTo(16);
    start.send(TEXT);
    assertThat(entry(node).pendingTokens()).isEqualTo(15);
    for (int i = 0; i < 32; i++) {
      world.clock.advance(Duration.ofMillis(100));
      start.send(TEXT);
    }
    start.send(FINISHED);
    assertThat(sink.events()).hasSize(35).startsWith(STARTED, TEXT).endsWith(FINISHED);
    assertThat(active(node)).isZero();
    assertThat(entry(node).pendingTokens()).isZero();
    assertThat(entry(node).speed().measured()).isTrue();
    assertThat(entry(node).speed().tokensPerSecond(1)).isCloseTo(10, within(0.001));
  }

  @Test
  void aModelThatIsNotInTheCatalogIsRefused() {
    world.dispatcher.submit(TestFleet.request("r", "no\n\uD83D\uDE80such"), sink);
    sink.assertFailed(
        FailureCode.MODEL_NOT_FOUND, "the model 'no?\uD83D\uDE80such' does not exist;");
    RecordingSink second = new RecordingSink();
    world.dispatcher.submit(TestFleet.request("r", "x".repeat(1_000_000)), second);
    assertThat(second.failure().orElseThrow().message()).hasSizeLessThan(300);
  }

  @Test
  void anEngineThatRefusesTheRequestIsNotAskedTwice() {
    world.ready("a", a, 1);
    world.ready("b", b, 1);
    submit();
    a.starts()
        .getFirst()
        .send(new GenerationEvent.Failed(FailureCode.CONTEXT_LENGTH_EXCEEDED, "too long"));
    sink.assertFailed(FailureCode.CONTEXT_LENGTH_EXCEEDED, "too long");
    assertThat(b.starts()).isEmpty();
  }

  @Test
  void aCancelledRequestStopsOnItsNodeAndIsHeardOfNoMore() {
    Node node = world.ready("a", a, 1);
    ActiveRequest request = submit();
    Start start = a.starts().getFirst();
    start.send(STARTED);
    request.cancel();
    request.cancel();
    assertThat(a.cancelled()).containsExactly("r");
    start.send(TEXT);
    start.send(FINISHED);
    world.lose(node, a);
    assertThat(sink.events()).containsExactly(STARTED);
    assertThat(active(node)).isZero();
  }

  @Test
  void aRequestCancelledWhileItIsBeingStartedStopsOnItsNode() {
    AtomicReference<@Nullable ActiveRequest> request = new AtomicReference<>();
    FakeNodeSession early =
        new FakeNodeSession() {
          @Override
          public void start(GenerationRequest started, EngineSink target) {
            @Nullable ActiveRequest waiting = request.get();
            if (waiting != null) {
              waiting.cancel();
            }
            super.start(started, target);
          }
        };
    Node node = world.online("a", early);
    world.fleet.replica(node.id(), early, new Replica.Loading(MODEL, 0));
    request.set(submit());
    world.report(node, early, 1);
    assertThat(early.starts()).hasSize(1);
    assertThat(early.cancelled()).containsExactly("r");
    assertThat(active(node)).isZero();
    assertThat(sink.events()).isEmpty();
  }

  @Test
  void aSinkThatThrowsEndsItsOwnRequestOnly() {
    Node node = world.ready("a", a, 2);
    world.dispatcher.submit(
        TestFleet.request("bad"),
        event -> {
          throw new IllegalStateException("the caller is gone");
        });
    submit();
    a.starts().get(0).send(STARTED);
    a.starts().get(1).send(STARTED);
    assertThat(a.cancelled()).containsExactly("bad");
    assertThat(sink.events()).containsExactly(STARTED);
    assertThat(active(node)).isEqualTo(1);
  }

  @Test
  void aModelThatDoesNotGenerateIsSaidNotTo() {
    Node node = world.online("a", a);
    world.fleet.replica(
        node.id(), a, new Replica.Ready(MODEL, 64, 1, "engine", true, Set.of(Use.EMBED)));
    submit();
    sink.assertFailed(FailureCode.INVALID_REQUEST, "the model 'tiny' does not generate text;");
  }

  @Test
  void whatNeedsAllFeaturesGoesWhereTheyAreIfTheyAreAnywhere() {
    Node plain = world.online("a", a);
    world.fleet.replica(
        plain.id(), a, new Replica.Ready(MODEL, 64, 1, "engine", false, Set.of(Use.GENERATE)));
    GenerationRequest json = inJson("r1");
    world.dispatcher.submit(json, new RecordingSink());
    assertThat(a.starts()).hasSize(1);
    world.ready("b", b, 1);
    for (int i = 2; i < 5; i++) {
      world.dispatcher.submit(inJson("r" + i), new RecordingSink());
    }
    assertThat(b.starts()).hasSize(3);
    submit();
    assertThat(a.starts()).hasSize(2);
  }

  private static GenerationRequest inJson(String id) {
    GenerationRequest request = TestFleet.request(id);
    Generation free = request.generation();
    return new GenerationRequest(
        id,
        request.model(),
        request.tenant(),
        new Generation(
            free.prompt(),
            free.sampling(),
            free.maxTokens(),
            free.stop(),
            new AnswerFormat.JsonObject(),
            OptionalInt.empty()));
  }

  @Test
  void aConversationGoesBackToTheNodeThatHoldsItsBeginning() {
    world.ready("a", a, 4);
    Node home = world.ready("b", b, 4);
    String text = "a long beginning ".repeat(200);
    GenerationRequest request =
        new GenerationRequest(
            "r",
            MODEL,
            TestFleet.request("r").tenant(),
            new Generation(new Prompt.Text(text), Sampling.DEFAULT, 16, List.of()));
    List<Long> marks = PromptMarks.of(MODEL, request.tenant(), request.generation().prompt());
    List<Integer> tokens = marks.stream().map(mark -> 1_000).toList();
    world.dispatcher.prefixes().told(home.id(), MODEL, true, marks, tokens, List.of());
    for (int i = 0; i < 3; i++) {
      world.dispatcher.submit(request, new RecordingSink());
    }
    assertThat(b.starts()).hasSize(3);
    assertThat(b.starts().getFirst().request().marks()).isEqualTo(marks);
    world.lose(home, b);
    world.ready("b", new FakeNodeSession(), 4);
    assertThat(world.dispatcher.prefixes().find(marks)).isEmpty();
  }

  @Test
  void theDecisionsAboutARequestAreKept() {
    Node lost = world.ready("a", a, 1);
    world.ready("b", b, 1);
    submit();
    a.starts().getFirst().send(STARTED);
    a.starts().getFirst().send(TEXT, 1, 2);
    world.lose(lost, a);
    List<DecisionLog.Entry> entries = world.dispatcher.decisions().find("r").orElseThrow();
    assertThat(entries)
        .extracting(entry -> entry.decision().ready().orElseThrow().candidate().nodeName())
        .containsExactly("a", "b");
    assertThat(entries).extracting(DecisionLog.Entry::tokensBefore).containsExactly(0, 2);
    assertThat(entries.getFirst().decision().candidates()).isEqualTo(2);
    assertThat(world.dispatcher.decisions().find("other")).isEmpty();
  }

  @Test
  void aFarNodeIsChosenLast() {
    Node far = world.ready("a", a, 4);
    world.ready("b", b, 4);
    long number = world.dispatcher.roundTrips().ask(far.id()).orElseThrow();
    world.clock.advance(Duration.ofMillis(300));
    world.dispatcher.roundTrips().received(far.id(), number);
    submit();
    assertThat(b.starts()).hasSize(1);
  }

  private Candidate entry(Node node) {
    return world.dispatcher.candidates().candidate(node.id(), MODEL).orElseThrow();
  }
}
