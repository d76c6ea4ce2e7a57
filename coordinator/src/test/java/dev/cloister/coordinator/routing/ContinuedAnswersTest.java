package dev.cloister.coordinator.routing;

import static dev.cloister.coordinator.fakes.TestFleet.MODEL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

import dev.cloister.coordinator.fakes.FakeNodeSession;
import dev.cloister.coordinator.fakes.FakeNodeSession.Start;
import dev.cloister.coordinator.fakes.RecordingSink;
import dev.cloister.coordinator.fakes.TestFleet;
import dev.cloister.coordinator.fleet.Node;
import dev.cloister.coordinator.fleet.Replica;
import dev.cloister.coordinator.fleet.Replica.Ready.Use;
import dev.cloister.coordinator.inference.Beginning;
import dev.cloister.coordinator.inference.GenerationEvent;
import dev.cloister.coordinator.inference.GenerationEvent.Failed;
import dev.cloister.coordinator.inference.GenerationEvent.FailureCode;
import dev.cloister.coordinator.inference.GenerationEvent.FinishReason;
import dev.cloister.coordinator.inference.GenerationEvent.Finished;
import dev.cloister.coordinator.inference.GenerationEvent.Started;
import dev.cloister.coordinator.inference.GenerationEvent.TextDelta;
import dev.cloister.coordinator.inference.GenerationEvent.ToolCallDelta;
import dev.cloister.coordinator.inference.GenerationEvent.Usage;
import dev.cloister.coordinator.routing.choice.Speed;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Answers whose nodes are lost on the way. */
class ContinuedAnswersTest {
  private static final Started STARTED = new Started(3, 1, "a");
  private static final TextDelta ONE = new TextDelta("one");
  private static final TextDelta TWO = new TextDelta("two");
  private static final Finished FINISHED = new Finished(FinishReason.STOP, new Usage(3, 1, 9));

  private final TestFleet world = new TestFleet();
  private final FakeNodeSession a = new FakeNodeSession();
  private final FakeNodeSession b = new FakeNodeSession();
  private final RecordingSink sink = new RecordingSink();

  @Test
  void anotherNodeGoesOnAndTheCallerSeesOneAnswer() {
    Node lost = world.ready("a", a, 1);
    world.ready("b", b, 1);
    submit();
    Start first = a.starts().getFirst();
    first.send(STARTED);
    first.send(ONE, 11, 12);
    first.send(new ToolCallDelta(0, "id", "f", "{}"));
    world.lose(lost, a);
    Start second = b.starts().getFirst();
    assertThat(second.request().beginning()).isEqualTo(new Beginning(List.of(11, 12), 2));
    second.send(new Started(3, 0, "b"));
    second.send(TWO, 13);
    second.send(new Finished(FinishReason.STOP, new Usage(3, 0, 9)), 14);
    assertThat(sink.events())
        .containsExactly(STARTED, ONE, new ToolCallDelta(0, "id", "f", "{}"), TWO, FINISHED);
  }

  @Test
  void whatIsStillOwedOfATokenCountsAsTold() {
    world.ready("a", a, 1);
    submit();
    a.starts().getFirst().send(STARTED);
    a.starts().getFirst().send(ONE, 11);
    a.starts().getFirst().send(FakeNodeSession.lost());
    world.dispatcher.retry();
    a.starts().get(1).send(STARTED);
    a.starts().get(1).send(TWO);
    a.starts().get(1).send(FakeNodeSession.lost());
    world.dispatcher.retry();
    assertThat(a.starts().get(2).request().beginning()).isEqualTo(new Beginning(List.of(11), 2));
  }

  @Test
  void anAnswerOutlivesAnyNumberOfNodesAsLongAsItGoesOn() {
    world.ready("a", a, 1);
    submit();
    for (int i = 0; i < 50; i++) {
      a.starts().get(i).send(STARTED);
      a.starts().get(i).send(ONE, i);
      a.starts().get(i).send(FakeNodeSession.lost());
      world.dispatcher.retry();
    }
    assertThat(a.starts().get(50).request().beginning().tokens()).hasSize(50);
    a.starts().get(50).send(FakeNodeSession.lost());
    world.dispatcher.retry();
    a.starts().get(51).send(FakeNodeSession.lost());
    assertThat(sink.failure().orElseThrow().code()).isEqualTo(FailureCode.NODE_LOST);
    assertThat(sink.started()).isEqualTo(1);
    assertThat(sink.ended()).isEqualTo(1);
  }

  @Test
  void nodesThatAreLostAllAtOnceAreNotTheFaultOfTheRequest() {
    for (int i = 0; i < 10; i++) {
      world.ready("silent" + i, new FakeNodeSession(), 1);
    }
    submit();
    world.clock.advance(TestFleet.SILENCE_LIMIT.plusMillis(1));
    Node heir = world.online("b", b);
    world.fleet.sweep();
    assertThat(sink.ended()).isZero();
    world.report(heir, b, 1);
    b.starts().getFirst().send(FINISHED);
    assertThat(sink.events()).containsExactly(FINISHED);
  }

  @Test
  void anEngineThatEndsAnAnswerByItselfIsLostAsWell() {
    world.ready("a", a, 1);
    world.ready("b", b, 1);
    submit();
    a.starts().getFirst().send(STARTED);
    a.starts().getFirst().send(ONE, 11);
    a.starts().getFirst().send(new Finished(FinishReason.CANCELLED, new Usage(3, 0, 1)));
    b.starts().getFirst().send(FINISHED);
    assertThat(sink.events()).containsExactly(STARTED, ONE, FINISHED);
  }

  @Test
  void lateEventsOfALostNodeAreDropped() {
    world.ready("a", a, 1);
    world.ready("b", b, 1);
    submit();
    a.starts().getFirst().send(STARTED);
    a.starts().getFirst().send(ONE, 11);
    world.ready("a", new FakeNodeSession(), 1);
    a.starts().getFirst().send(TWO, 12);
    b.starts().getFirst().send(TWO, 12);
    assertThat(sink.events()).containsExactly(STARTED, ONE, TWO);
  }

  @Test
  void anAnswerThatIsBegunWaitsForRoomAndForAModelThatIsBroughtUpAgain() {
    Node lost = world.ready("a", a, 1);
    submit();
    a.starts().getFirst().send(STARTED);
    a.starts().getFirst().send(ONE, 11);
    world.lose(lost, a);
    assertThat(sink.ended()).isZero();
    world.clock.advance(Duration.ofSeconds(4));
    world.dispatcher.retry();
    Node heir = world.ready("b", b, 1);
    Start second = b.starts().getFirst();
    second.send(new Failed(FailureCode.NO_CAPACITY, "all slots are busy"));
    assertThat(sink.ended()).isZero();
    world.report(heir, b, 1);
    world.dispatcher.retry();
    b.starts().get(1).send(FINISHED);
    assertThat(sink.events()).containsExactly(STARTED, ONE, FINISHED);
  }

  @Test
  void anAnswerThatIsBegunWaitsWhereQueuesAreFull() {
    Node lost = world.ready("a", a, 1);
    submit();
    a.starts().getFirst().send(STARTED);
    a.starts().getFirst().send(ONE, 11);
    world.ready("b", b, 1);
    for (int i = 0; i < 9; i++) {
      world.dispatcher.submit(TestFleet.request("r" + i), new RecordingSink());
    }
    assertThat(b.starts()).hasSize(5);
    List<Start> others = List.copyOf(b.starts());
    world.lose(lost, a);
    assertThat(sink.ended()).isZero();
    others.forEach(start -> start.send(FINISHED));
    world.dispatcher.retry();
    assertThat(b.starts()).anyMatch(start -> !start.request().beginning().isEmpty());
  }

  @Test
  void waitingForAModelThatDoesNotComeBackEnds() {
    Node lost = world.ready("a", a, 1);
    submit();
    a.starts().getFirst().send(STARTED);
    a.starts().getFirst().send(ONE, 11);
    world.lose(lost, a);
    world.clock.advance(Duration.ofSeconds(5));
    world.dispatcher.retry();
    assertThat(sink.failure().orElseThrow().message())
        .isEqualTo("no node serves 'tiny' now; see: cloister node list");
  }

  @Test
  void anEngineThatDoesNotKnowItsTokensIsNotAskedToGoOn() {
    Node lost = world.ready("a", a, 1);
    submit();
    a.starts().getFirst().send(STARTED);
    a.starts().getFirst().send(ONE, 11);
    Node plain = world.online("b", b);
    world.fleet.replica(
        plain.id(), b, new Replica.Ready(MODEL, 64, 1, "engine", false, Set.of(Use.GENERATE)));
    world.lose(lost, a);
    world.dispatcher.retry();
    assertThat(b.starts()).isEmpty();
    assertThat(sink.ended()).isZero();
  }

  @Test
  void theRateOfANodeIsOfTheTokensItMade() {
    Node lost = world.ready("a", a, 1);
    Node heir = world.ready("b", b, 1);
    submit();
    a.starts().getFirst().send(STARTED);
    Integer[] made = Stream.iterate(1, i -> i + 1).limit(100).toArray(Integer[]::new);
    a.starts().getFirst().send(ONE, made);
    world.lose(lost, a);
    b.starts().getFirst().send(STARTED);
    for (int token = 0; token < 27; token++) {
      b.starts().getFirst().send(TWO, token);
      world.clock.advance(Duration.ofMillis(100));
    }
    b.starts().getFirst().send(new Finished(FinishReason.STOP, new Usage(3, 0, 110)));
    assertThat(speed(heir).tokensPerSecond(1)).isCloseTo(1 / 0.11, within(0.001));
  }

  private Speed speed(Node node) {
    return world.dispatcher.candidates().candidate(node.id(), MODEL).orElseThrow().speed();
  }

  @Test
  void amongLossesEveryAnswerIsTheUndisturbedOne() throws Exception {
    long seed = new Random().nextLong();
    for (int node = 0; node < 4; node++) {
      world.ready("node" + node, fragile(seed, node, 1), 1000);
    }
    List<Told> answers = new ArrayList<>();
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 200; i++) {
        Told answer = new Told(new RecordingSink(), Script.random(new Random(seed + i)));
        answers.add(answer);
        String id = seed + i + "";
        var _ = callers.submit(() -> world.dispatcher.submit(TestFleet.request(id), answer.sink()));
      }
    }
    await("seed " + seed)
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(
            () -> {
              world.dispatcher.retry();
              assertThat(answers).allMatch(answer -> answer.sink().ended() == 1);
            });
    for (Told answer : answers) {
      assertThat(answer.sink().events())
          .as("seed %d", seed)
          .isEqualTo(answer.script().events().stream().map(Step::event).toList());
      assertThat(answer.sink().overlapped()).isFalse();
    }
  }

  private record Told(RecordingSink sink, Script script) {}

  private record Step(GenerationEvent event, List<Integer> tokens) {}

  /** A whole answer, the same wherever it is made. */
  private record Script(List<Step> events) {

    /** The answer to a request is known by its name, a seed. */
    static Script random(Random random) {
      List<Step> steps = new ArrayList<>();
      int tokens = 0;
      for (int i = 0; i < 150; i++) {
        // None where the token before gave rise to this event as well.
        int made = i == 0 ? 1 : random.nextInt(4);
        List<Integer> group = new ArrayList<>();
        for (int t = 0; t < made; t++) {
          group.add(tokens++);
        }
        steps.add(new Step(new TextDelta(i + " "), group));
      }
      steps.addFirst(new Step(STARTED, List.of()));
      steps.add(new Step(new Finished(FinishReason.STOP, new Usage(3, 1, tokens)), List.of()));
      return new Script(steps);
    }

    /** Where an engine goes on. */
    int after(Beginning beginning) {
      int tokens = 0;
      int parts = 0;
      for (int i = 1; i < events.size(); i++) {
        if (tokens == beginning.tokens().size() && parts == beginning.toldEvents()) {
          return i;
        }
        int made = events.get(i).tokens().size();
        tokens += made;
        parts = made > 0 ? 1 : parts + 1;
      }
      throw new AssertionError("no place in the answer: " + beginning);
    }
  }

  /** A node that is lost now and then, with all that it answers, and is another one then. */
  private FakeNodeSession fragile(long seed, int node, int life) {
    Random random = new Random(seed ^ (node * 1000L + life));
    return new FakeNodeSession(
        start ->
            Thread.ofVirtual()
                .start(
                    () -> {
                      Script script =
                          Script.random(new Random(Long.parseLong(start.request().id())));
                      start.send(STARTED);
                      List<Step> steps = script.events();
                      for (Step step :
                          steps.subList(script.after(start.request().beginning()), steps.size())) {
                        start.send(step.event(), step.tokens().toArray(Integer[]::new));
                        if (start.isOver()) {
                          return;
                        }
                        if (random.nextInt(2_000) == 0) {
                          world.ready("node" + node, fragile(seed, node, life + 1), 1000);
                          return;
                        }
                        Thread.onSpinWait();
                      }
                    }));
  }

  private void submit() {
    world.dispatcher.submit(TestFleet.request("r"), sink);
  }
}
