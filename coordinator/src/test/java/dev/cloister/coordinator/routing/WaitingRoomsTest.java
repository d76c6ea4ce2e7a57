package dev.cloister.coordinator.routing;

import static dev.cloister.coordinator.fakes.TestFleet.MODEL;
import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.coordinator.fakes.FakeNodeSession;
import dev.cloister.coordinator.fakes.FakeNodeSession.Start;
import dev.cloister.coordinator.fakes.RecordingSink;
import dev.cloister.coordinator.fakes.TestFleet;
import dev.cloister.coordinator.fleet.Node;
import dev.cloister.coordinator.inference.Generation;
import dev.cloister.coordinator.inference.GenerationEvent.Failed;
import dev.cloister.coordinator.inference.GenerationEvent.FailureCode;
import dev.cloister.coordinator.inference.GenerationEvent.FinishReason;
import dev.cloister.coordinator.inference.GenerationEvent.Finished;
import dev.cloister.coordinator.inference.GenerationEvent.Started;
import dev.cloister.coordinator.inference.GenerationEvent.TextDelta;
import dev.cloister.coordinator.inference.GenerationEvent.Usage;
import dev.cloister.coordinator.inference.GenerationRequest;
import dev.cloister.coordinator.inference.Sampling;
import dev.cloister.coordinator.inference.Tenant;
import dev.cloister.coordinator.inference.prompt.Prompt;
import dev.cloister.coordinator.labels.Labels;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * One node with one slot: it takes five requests, and the others wait until only one is left to
 * wait there, as nobody has seen how fast it is.
 */
class WaitingRoomsTest {
  private static final int TAKEN = 5;
  private static final Finished FINISHED = new Finished(FinishReason.STOP, new Usage(3, 0, 10));

  private final TestFleet world = new TestFleet();
  private final FakeNodeSession a = new FakeNodeSession();
  private final RecordingSink sink = new RecordingSink();
  private int submitted;
  private int over;

  @Test
  void whoHasOneWaitingIsNextThoughAnotherHasFifty() {
    world.ready("a", a, 1);
    submit("crowd", TAKEN + 50);
    ActiveRequest one = submit("one", sink);
    assertThat(a.starts()).hasSize(TAKEN);
    for (int i = 0; i < TAKEN - 1; i++) {
      // As long as expected: who is served less than that has its next turn the sooner.
      a.starts().get(over).send(new Started(4, 0, "a"));
      a.starts().get(over++).send(new Finished(FinishReason.LENGTH, new Usage(4, 0, 16)));
    }
    assertThat(a.starts().getLast().request().id()).isEqualTo(one.id());
    assertThat(a.starts()).hasSize(TAKEN + 1);
  }

  @Test
  void allThatWaitAreAnswered() {
    world.ready("a", a, 1);
    submit("k", 100);
    submit("k", sink);
    while (over < 101) {
      finishOne();
    }
    assertThat(sink.events()).containsExactly(FINISHED);
    assertThat(a.starts()).hasSize(101);
  }

  @Test
  void aNodeThatAnswersAtOnceAnswersAllThatWait() {
    Node node = world.ready("a", a, 1);
    submit("k", 400);
    world.lose(node, a);
    FakeNodeSession quick = new FakeNodeSession(start -> start.send(FINISHED));
    world.ready("b", quick, 1);
    world.dispatcher.retry();
    assertThat(quick.starts()).hasSize(400);
  }

  @Test
  void whatWaitedForANodeThatIsLostWaitsFiveSecondsForAnother() {
    Node node = world.ready("a", a, 1);
    submit("k", TAKEN);
    submit("k", sink);
    world.lose(node, a);
    world.clock.advance(Duration.ofMillis(4_999));
    world.dispatcher.retry();
    assertThat(sink.events()).isEmpty();
    world.clock.advance(Duration.ofMillis(1));
    world.dispatcher.retry();
    assertThat(sink.failure().orElseThrow().message()).startsWith("no node serves 'tiny' now");
  }

  @Test
  void aNewNodeIsGivenWhatWaits() {
    world.ready("a", a, 1);
    submit("k", 20);
    FakeNodeSession b = new FakeNodeSession();
    world.ready("b", b, 2);
    assertThat(b.starts()).hasSize(3);
  }

  @Test
  void whatWaitsIsCancelledUnheard() {
    world.ready("a", a, 1);
    submit("k", TAKEN);
    submit("k", sink).cancel();
    ActiveRequest next = submit("k", new RecordingSink());
    finish(TAKEN - 1);
    assertThat(a.starts().getLast().request().id()).isEqualTo(next.id());
    assertThat(sink.events()).isEmpty();
  }

  @Test
  void whatIsCancelledOnItsNodeMakesRoom() {
    world.ready("a", a, 1);
    submit("k", TAKEN - 1);
    ActiveRequest running = submit("k", new RecordingSink());
    submit("k", 1);
    finish(TAKEN - 2);
    assertThat(a.starts()).hasSize(TAKEN);
    running.cancel();
    assertThat(a.starts()).hasSize(TAKEN + 1);
  }

  @Test
  void waitingEndsAtTheDeadline() {
    world.ready("a", a, 1);
    submit("k", TAKEN);
    submit("k", sink);
    world.clock.advance(Duration.ofMillis(29_999));
    world.dispatcher.retry();
    assertThat(sink.events()).isEmpty();
    world.clock.advance(Duration.ofMillis(1));
    world.dispatcher.retry();
    Failed failed = sink.failure().orElseThrow();
    assertThat(failed.code()).isEqualTo(FailureCode.NO_CAPACITY);
    assertThat(failed.message()).startsWith("every node that serves 'tiny' has a full queue");
    finishOne();
    assertThat(a.starts()).hasSize(TAKEN);
    assertThat(sink.ended()).isEqualTo(1);
  }

  @Test
  void aCallerWithTooMuchWaitingIsToldWhenToComeAgain() {
    world.ready("a", a, 1);
    submit("k", TAKEN + 500);
    for (int second = 0; second < 9; second++) {
      world.clock.advance(Duration.ofSeconds(1));
      finishOne();
      submit("k", 1);
    }
    submit("k", sink);
    Failed failed = sink.failure().orElseThrow();
    assertThat(failed.code()).isEqualTo(FailureCode.TOO_MANY_REQUESTS);
    // All that waits is either served or has passed its deadline by then.
    assertThat(failed.retryAfter()).contains(Duration.ofSeconds(30));
    assertThat(failed.message())
        .isEqualTo(
            "you have 500 requests for 'tiny' waiting, as many as one caller may; try again in 30"
                + " s");
    RecordingSink other = new RecordingSink();
    submit("other", other);
    assertThat(other.events()).isEmpty();
  }

  @Test
  void whatCannotHaveItsTurnInTimeIsRefusedAtOnce() {
    world.ready("a", a, 1);
    submit("k", TAKEN + 100);
    for (int second = 0; second < 15; second++) {
      world.clock.advance(Duration.ofSeconds(1));
      finishOne();
    }
    submit("k", sink);
    Failed failed = sink.failure().orElseThrow();
    assertThat(failed.code()).isEqualTo(FailureCode.NO_CAPACITY);
    // What waits is served, or has passed its deadline by then.
    assertThat(failed.retryAfter()).contains(Duration.ofSeconds(15));
    assertThat(failed.message())
        .isEqualTo("every node that serves 'tiny' has a full queue; try again in 15 s");
    ActiveRequest other = submit("other", new RecordingSink());
    finishOne();
    assertThat(a.starts().getLast().request().id()).isEqualTo(other.id());
  }

  @Test
  void whileOthersWaitANodeIsGivenNoMoreThanItBeginsWithinAMoment() {
    world.ready("a", a, 1);
    submit("k", sink);
    measure(a.starts().getFirst());
    submit("k", TAKEN + 10);
    assertThat(a.starts()).hasSize(1 + TAKEN);
    // Sixteen tokens each, ten a second.
    for (int queued = TAKEN - 1; queued > 1; queued--) {
      finishOne();
      assertThat(a.starts()).hasSize(1 + TAKEN);
    }
    finishOne();
    assertThat(a.starts()).hasSize(2 + TAKEN);
    finishOne();
    assertThat(a.starts()).hasSize(3 + TAKEN);
  }

  /** Has an answer be made at ten tokens a second. */
  private void measure(Start start) {
    start.send(new Started(3, 0, "a"));
    for (int token = 0; token < 40; token++) {
      world.clock.advance(Duration.ofMillis(100));
      start.send(new TextDelta("four"), token);
    }
    start.send(new Finished(FinishReason.STOP, new Usage(3, 0, 40)));
    over++;
  }

  @Test
  void whatHadItsTurnOnANodeThatIsLostGoesBeforeAllThatWait() {
    FakeNodeSession b = fillTwoNodes(new RecordingSink());
    submit("one", sink);
    List<String> lost = a.starts().stream().map(start -> start.request().id()).toList();
    world.lose(TestFleet.node("a"), a);

    List.copyOf(b.starts()).forEach(start -> start.send(FINISHED));

    assertThat(b.starts().stream().skip(TAKEN).map(start -> start.request().id()))
        .containsExactlyInAnyOrderElementsOf(lost);
    assertThat(b.starts()).anyMatch(start -> !start.request().beginning().isEmpty());
    assertThat(sink.events()).isEmpty();
  }

  @Test
  void butNoLongerThanUntilItsDeadline() {
    RecordingSink begun = new RecordingSink();
    fillTwoNodes(begun);
    world.lose(TestFleet.node("a"), a);
    world.clock.advance(Duration.ofMillis(29_999));
    world.dispatcher.retry();
    assertThat(begun.ended()).isZero();
    world.clock.advance(Duration.ofMillis(1));
    world.dispatcher.retry();
    assertThat(begun.failure().orElseThrow().message())
        .startsWith("every node that serves 'tiny' has a full queue; try again in ");
  }

  /** Has an answer begin on a, others fill it and another node, and one wait. */
  private FakeNodeSession fillTwoNodes(RecordingSink begun) {
    world.ready("a", a, 1);
    submit("k", begun);
    a.starts().getFirst().send(new Started(3, 0, "a"));
    a.starts().getFirst().send(new TextDelta("one"), 11);
    FakeNodeSession b = new FakeNodeSession();
    world.ready("b", b, 1);
    submit("k", 2 * TAKEN);
    assertThat(a.starts()).hasSize(TAKEN);
    assertThat(b.starts()).hasSize(TAKEN);
    return b;
  }

  @Test
  void allCallersTogetherHaveABoundToo() {
    world.ready("a", a, 1);
    submit("k1", TAKEN + 500);
    submit("k2", 500);
    submit("k3", sink);
    Failed failed = sink.failure().orElseThrow();
    assertThat(failed.code()).isEqualTo(FailureCode.NO_CAPACITY);
    assertThat(failed.retryAfter()).isPresent();
  }

  @Test
  void underOverloadTokensServedPerCallerDifferByLessThanATenth() {
    world.ready("a", a, 1);
    submit("long", TAKEN + 400);
    submit("short", 400);
    int[] tokens = new int[2];
    for (int i = 0; i < 400; i++) {
      Start start = a.starts().get(over++);
      boolean isLong = start.request().tenant().name().equals("key/long");
      int made = isLong ? 16 : 4;
      start.send(new Started(4, 0, "a"));
      start.send(new Finished(FinishReason.LENGTH, new Usage(4, 0, made)));
      if (i >= TAKEN) {
        tokens[isLong ? 0 : 1] += 4 + made;
      }
    }
    assertThat(Math.abs(tokens[0] - tokens[1])).isLessThan((tokens[0] + tokens[1]) / 20);
  }

  @Test
  void aCallerWithThreeTimesTheWeightIsServedThreeTimesTheTokens() {
    world.ready("a", a, 1);
    submit("crowd", TAKEN);
    for (int i = 0; i < 400; i++) {
      submit(Tenant.ofApiKey("light", Labels.NONE), new RecordingSink());
      submit(Tenant.ofApiKey("heavy", Labels.NONE, 3), new RecordingSink());
    }
    int heavy = 0;
    for (int i = 0; i < 400; i++) {
      heavy += a.starts().get(over).request().tenant().name().equals("key/heavy") ? 1 : 0;
      finishOne();
    }
    assertThat(heavy).isBetween(290, 305);
  }

  private void finish(int count) {
    for (int i = 0; i < count; i++) {
      finishOne();
    }
  }

  private void finishOne() {
    a.starts().get(over++).send(FINISHED);
  }

  private void submit(String caller, int count) {
    for (int i = 0; i < count; i++) {
      submit(caller, new RecordingSink());
    }
  }

  private ActiveRequest submit(String caller, RecordingSink to) {
    return submit(Tenant.ofApiKey(caller, Labels.NONE), to);
  }

  private ActiveRequest submit(Tenant caller, RecordingSink to) {
    return world.dispatcher.submit(
        new GenerationRequest(
            "r" + ++submitted,
            MODEL,
            caller,
            new Generation(new Prompt.Text("Say something"), Sampling.DEFAULT, 16, List.of())),
        to);
  }
}
