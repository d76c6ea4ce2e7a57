package dev.cloister.coordinator.routing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.coordinator.fakes.FakeNodeSession;
import dev.cloister.coordinator.fakes.RecordingSink;
import dev.cloister.coordinator.fakes.TestFleet;
import dev.cloister.coordinator.fleet.Node;
import dev.cloister.coordinator.inference.GenerationEvent.Failed;
import dev.cloister.coordinator.inference.GenerationEvent.FailureCode;
import dev.cloister.coordinator.inference.GenerationEvent.FinishReason;
import dev.cloister.coordinator.inference.GenerationEvent.Finished;
import dev.cloister.coordinator.inference.GenerationEvent.Started;
import dev.cloister.coordinator.inference.GenerationEvent.TextDelta;
import dev.cloister.coordinator.inference.GenerationEvent.Usage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Nodes whose engines fail while the machines stay. */
class SickNodesTest {
  private static final Failed INTERNAL = new Failed(FailureCode.INTERNAL, "the engine failed");
  private static final Finished FINISHED = new Finished(FinishReason.STOP, new Usage(3, 0, 10));
  private static final TextDelta ONE = new TextDelta("one");

  private final TestFleet world = new TestFleet();
  private int submitted;

  private static FakeNodeSession failing() {
    return new FakeNodeSession(start -> start.send(INTERNAL));
  }

  private static FakeNodeSession answering() {
    return new FakeNodeSession(start -> start.send(FINISHED));
  }

  @Test
  void anAnswerThatAnEngineFailsOnGoesOnElsewhere() {
    FakeNodeSession sick = new FakeNodeSession();
    FakeNodeSession well = new FakeNodeSession();
    world.ready("a", sick, 1);
    world.ready("b", well, 1);
    RecordingSink caller = submit();
    Started started = new Started(3, 0, "a");
    sick.starts().getFirst().send(started);
    sick.starts().getFirst().send(ONE, 11);
    sick.starts().getFirst().send(INTERNAL);
    assertThat(well.starts().getFirst().request().beginning().tokens()).containsExactly(11);
    well.starts().getFirst().send(FINISHED);
    assertThat(caller.events()).containsExactly(started, ONE, FINISHED);
  }

  @Test
  void whatEveryEngineFailsOnIsToldAfterThreeOfThem() {
    List<FakeNodeSession> sessions = new ArrayList<>();
    for (String name : List.of("a", "b", "c", "d")) {
      sessions.add(failing());
      world.ready(name, sessions.getLast(), 1);
    }
    assertThat(submit().failure()).contains(INTERNAL);
    assertThat(sessions).filteredOn(session -> !session.starts().isEmpty()).hasSize(3);
  }

  @Test
  void whatTheOnlyEngineFailsOnIsToldAtOnce() {
    FakeNodeSession only = failing();
    world.ready("a", only, 1);
    assertThat(submit().failure()).contains(INTERNAL);
    assertThat(only.starts()).hasSize(1);
  }

  @Test
  void anEngineThatFailsFiveTimesInARowIsLeftOutAndLetBackGradually() {
    FakeNodeSession sick = failing();
    world.ready("a", sick, 4);
    FakeNodeSession well = answering();
    Node healthy = world.ready("b", well, 4);
    List<RecordingSink> callers = submit(40);
    assertThat(callers).allMatch(caller -> caller.failure().isEmpty());
    assertThat(sick.starts()).hasSize(5);

    FakeNodeSession silent = new FakeNodeSession();
    world.ready("a", silent, 8);
    submit(10);
    assertThat(silent.starts()).isEmpty();
    world.lose(healthy, well);
    world.clock.advance(Duration.ofSeconds(2));
    world.dispatcher.retry();
    submit(40);
    assertThat(silent.starts()).hasSize(1);
    for (int answered = 0; answered < 3; answered++) {
      silent.starts().get(answered).send(FINISHED);
      assertThat(silent.starts()).hasSize(answered + 1 + (2 << answered));
    }
  }

  @Test
  void aNodeThatWasEjectedIsSaidToBe() {
    FakeNodeSession sick = failing();
    Node node = world.ready("a", sick, 4);
    world.ready("b", answering(), 4);
    submit(20);
    var decision = world.dispatcher.decisions().find("r20").orElseThrow().getFirst().decision();
    assertThat(decision.ready().orElseThrow().candidate().nodeName()).isEqualTo("b");
    assertThat(decision.predictions().getLast().candidate().nodeId()).isEqualTo(node.id());
    assertThat(decision.predictions().getLast().candidate().ejected()).isTrue();
    assertThat(decision.toString()).endsWith(", ejected");
  }

  @Test
  void whereAllNodesAreEjectedTheOneThatIsToComeBackFirstIsTried() {
    world.ready("a", failing(), 4);
    world.ready("b", failing(), 4);
    submit(20);
    assertThat(submit().failure()).contains(INTERNAL);
    world.ready("a", answering(), 4);
    world.ready("b", answering(), 4);
    assertThat(submit(20)).allMatch(caller -> caller.events().equals(List.of(FINISHED)));
  }

  @Test
  void anEngineThatGoesDownWithManyAnswersFailedOnce() {
    FakeNodeSession down = new FakeNodeSession();
    world.ready("a", down, 100);
    for (int i = 0; i < 200; i++) {
      submit();
    }
    FakeNodeSession heir = answering();
    world.ready("b", heir, 100);
    world.clock.advance(Duration.ofSeconds(1));
    List.copyOf(down.starts()).forEach(start -> start.send(FakeNodeSession.lost()));
    assertThat(heir.starts()).hasSize(200);
    submit(10);
    assertThat(down.starts()).hasSizeGreaterThan(200);
  }

  @Test
  void retriesDoNotMultiplyTheLoadOfAClusterThatFailsAsAWhole() {
    List<FakeNodeSession> sessions = Stream.generate(SickNodesTest::failing).limit(4).toList();
    for (FakeNodeSession session : sessions) {
      world.ready("node" + sessions.indexOf(session), session, 4);
    }
    List<RecordingSink> callers = submit(400);
    assertThat(callers).allMatch(caller -> caller.ended() == 1);
    // A hundred are saved, and a fifth of a retry for each request.
    assertThat(sessions.stream().mapToInt(session -> session.starts().size()).sum())
        .isBetween(400 + 100, 400 + 100 + 400 / 5);
  }

  @Test
  void answersOfNodesThatAreGoneGoOnThoughRetriesAreSpent() {
    world.ready("sick1", failing(), 4);
    world.ready("sick2", failing(), 4);
    submit(400);
    FakeNodeSession doomed = new FakeNodeSession();
    Node lost = world.ready("doomed", doomed, 100);
    List<RecordingSink> callers = submit(200);
    assertThat(doomed.starts()).hasSize(200);
    doomed.starts().forEach(start -> start.send(ONE, 1));
    FakeNodeSession heir = answering();
    world.ready("heir", heir, 100);
    world.lose(lost, doomed);
    world.dispatcher.retry();
    assertThat(callers).allMatch(caller -> caller.events().equals(List.of(ONE, FINISHED)));
  }

  private List<RecordingSink> submit(int count) {
    return Stream.generate(this::submit).limit(count).toList();
  }

  private RecordingSink submit() {
    RecordingSink sink = new RecordingSink();
    world.dispatcher.submit(TestFleet.request("r" + ++submitted), sink);
    return sink;
  }
}
