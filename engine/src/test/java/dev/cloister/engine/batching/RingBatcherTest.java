package dev.cloister.engine.batching;

import static dev.cloister.engine.batching.Prompts.constrained;
import static dev.cloister.engine.batching.Prompts.joined;
import static dev.cloister.engine.batching.Prompts.prompt;
import static dev.cloister.engine.batching.Prompts.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.cloister.engine.generation.FinishReason;
import dev.cloister.engine.generation.LoadedModel.Running;
import dev.cloister.engine.stage.Run;
import dev.cloister.engine.stage.Step;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Batches over a ring of stages, each of which tells when its cells are wrong. */
class RingBatcherTest {
  private @Nullable FakeRing ring;
  private @Nullable Batcher batcher;

  private FakeRing start(int stages, BatchLimits limits, int cells, int batchTokens) {
    FakeRing made = new FakeRing(stages, limits, cells, batchTokens);
    ring = made;
    batcher = Batcher.start(made.first, new FakeVocabulary(), limits, null, System::nanoTime);
    made.connect();
    await().until(() -> made.closed);
    return made;
  }

  private FakeRing start(int stages) {
    BatchLimits limits = new BatchLimits(16, 512, 200, false);
    return start(stages, limits, limits.cells(), 128);
  }

  @AfterEach
  void close() {
    if (batcher != null && ring != null) {
      batcher.close();
      ring.close();
      ring.requireNothingLeft();
    }
  }

  private Batcher batcher() {
    return Objects.requireNonNull(batcher);
  }

  private Collected ask(int[] prompt, int most, String tenant) {
    Collected collected = new Collected();
    batcher().submit(request(prompt, most, tenant), collected);
    return collected;
  }

  private void assertAnswers(List<Collected> answers, int length, int most) throws Exception {
    for (int i = 0; i < answers.size(); i++) {
      answers.get(i).awaitEnd();
      assertThat(answers.get(i).tokens).isEqualTo(FakeContext.expected(prompt(i, length), most));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 5})
  void answersAreThoseOfTheWhole(int stages) throws Exception {
    start(stages);
    List<Collected> answers = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      answers.add(ask(prompt(i, 30), 60, "t" + i % 3));
    }
    assertAnswers(answers, 30, 60);
  }

  @Test
  void sixteenStreamsAreTwoMicroBatchesOfEight() throws Exception {
    FakeRing two = start(2);
    List<Collected> answers = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      answers.add(ask(prompt(i, 20), 200, "t"));
    }
    for (Collected answer : answers) {
      answer.awaitEnd();
    }
    int full = 0;
    for (Step step : List.copyOf(two.steps)) {
      Set<Integer> generating = new HashSet<>();
      for (Run run : step.runs()) {
        if (run.position() >= 20) {
          generating.add(run.sequence());
        }
      }
      assertThat(generating).hasSizeLessThanOrEqualTo(8);
      full += generating.size() == 8 ? 1 : 0;
    }
    assertThat(full).isGreaterThan(5);
  }

  @Test
  void promptsFlowInPieces() throws Exception {
    BatchLimits limits = new BatchLimits(2, 4096, 10, false);
    FakeRing two = start(2, limits, limits.cells(), 512);
    FakeContext last = two.contexts.getLast();
    last.gate = new Semaphore(0);
    Collected answer = ask(prompt(1, 2000), 3, "t");
    // One more than there are stages, though nothing has come back.
    await().until(() -> two.steps.stream().filter(step -> !step.runs().isEmpty()).count() == 3);
    last.gate.release(1000);
    answer.awaitEnd();
    assertThat(answer.tokens).isEqualTo(FakeContext.expected(prompt(1, 2000), 3));
    List<Integer> pieces =
        two.steps.stream()
            .flatMap(step -> step.runs().stream())
            .map(Run::tokens)
            .filter(tokens -> tokens > 1)
            .toList();
    assertThat(pieces).hasSizeBetween(15, 17);
    assertThat(pieces.subList(0, pieces.size() - 1)).allMatch(tokens -> tokens >= 128);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void randomArrivalsAndCancellationsLeaveNothingBehind(long seed) throws Exception {
    Random random = new Random(seed);
    long shelfBytes = seed % 2 * 256 * FakeContext.TOKEN_BYTES;
    BatchLimits limits = new BatchLimits(1 + random.nextInt(6), 256, 500, false, shelfBytes);
    int cells = limits.cells() - random.nextInt(100);
    FakeRing three = start(2 + random.nextInt(3), limits, cells, 64);
    int[][] beginnings =
        IntStream.range(0, 5).mapToObj(i -> prompt(i, random.nextInt(120))).toArray(int[][]::new);
    List<int[]> prompts = new ArrayList<>();
    List<Collected> answers = new ArrayList<>();
    List<Boolean> cancelled = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      int[] prompt =
          joined(beginnings[random.nextInt(5)], prompt(random.nextInt(50), 1 + random.nextInt(60)));
      Collected answer = new Collected();
      Running running =
          batcher()
              .submit(request(prompt, 1 + random.nextInt(60), "t" + random.nextInt(2)), answer);
      prompts.add(prompt);
      answers.add(answer);
      cancelled.add(random.nextInt(3) == 0);
      if (cancelled.getLast()) {
        if (random.nextInt(10) > 6) {
          await().until(() -> answer.tokens.size() > 2 || answer.end.isDone());
        }
        running.cancel();
      }
    }
    for (int i = 0; i < answers.size(); i++) {
      FinishReason reason = answers.get(i).awaitEnd();
      List<Integer> expected = FakeContext.expected(prompts.get(i), answers.get(i).tokens.size());
      assertThat(answers.get(i).tokens).as("seed %d, answer %d", seed, i).isEqualTo(expected);
      assertThat(reason == FinishReason.CANCELLED && !cancelled.get(i)).isFalse();
    }
    assertThat(batcher().load()).isZero();
    // Operations that no step follows go round as well.
    await().until(() -> three.contexts.getLast().openSamplers.get() == 0);
    int held = three.contexts.getFirst().usedCells();
    assertThat(held).isLessThanOrEqualTo(limits.retainedTokens());
    for (FakeContext context : three.contexts) {
      assertThat(context.tokens()).isEqualTo(three.contexts.getFirst().tokens());
      assertThat(context.usedCells()).isEqualTo(held);
      assertThat(context.keptBytes).hasValue(three.contexts.getFirst().keptBytes.get());
    }
  }

  @Test
  void aStepThatFailsBehindTheFirstStageIsComputedAgain() throws Exception {
    FakeRing three = start(3);
    for (int stage = 1; stage < 3; stage++) {
      for (boolean noRoom : List.of(true, false)) {
        FakeContext last = three.contexts.getLast();
        last.gate = new Semaphore(40);
        List<Collected> answers = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
          answers.add(ask(prompt(i, 50), 100, "t"));
        }
        await().until(() -> last.gate.availablePermits() == 0);
        three.contexts.get(stage).noRoomNext = noRoom;
        three.contexts.get(stage).failNext = !noRoom;
        last.gate.release(100_000);
        assertAnswers(answers, 50, 100);
      }
    }
  }

  @Test
  void whatFailsAgainFails() {
    BatchLimits limits = new BatchLimits(2, 512, 10, false);
    FakeRing two = start(2, limits, limits.cells(), 128);
    FakeContext last = two.contexts.getLast();
    last.gate = new Semaphore(0);
    Collected answer = ask(prompt(1, 50), 5, "t");
    last.failNext = true;
    last.gate.release();
    await().until(() -> two.steps.stream().filter(step -> !step.runs().isEmpty()).count() == 2);
    last.failNext = true;
    last.gate.release(1000);
    assertThatThrownBy(answer::awaitEnd).hasMessageContaining("INTERNAL: the engine failed");
  }

  @Test
  void aLostStageFailsWhatRunsAndWaits() throws Exception {
    FakeRing three = start(3);
    for (int round = 0; round < 3; round++) {
      List<Collected> answers = new ArrayList<>();
      three.contexts.getLast().gate = new Semaphore(20);
      for (int i = 0; i < 40; i++) {
        answers.add(ask(prompt(i, 50), 400, "t"));
      }
      await().until(() -> answers.stream().anyMatch(answer -> answer.tokens.size() > 2));
      three.lose();
      three.contexts.getLast().gate.release(100_000);
      for (Collected answer : answers) {
        assertThatThrownBy(answer::awaitEnd).hasMessageContaining("STAGE_LOST: a stage");
      }
      assertThat(three.closed).isFalse();
      assertThat(batcher().load()).isZero();
      assertThatThrownBy(() -> ask(prompt(1, 5), 5, "t").awaitEnd())
          .hasMessageContaining("STAGE_LOST: the stages of the model are not connected");
      three.connect();
      await().until(() -> three.closed);
      Collected after = ask(prompt(1, 50), 20, "t");
      after.awaitEnd();
      assertThat(after.cached).isZero();
      assertThat(after.tokens).isEqualTo(FakeContext.expected(prompt(1, 50), 20));
    }
  }

  @Test
  void aConnectionThatIsReplacedIsLost() {
    FakeRing two = start(2);
    two.contexts.getLast().gate = new Semaphore(3);
    Collected answer = ask(prompt(1, 50), 400, "t");
    await().until(() -> answer.tokens.size() > 1);
    two.connect();
    two.contexts.getLast().gate.release(100_000);
    assertThatThrownBy(answer::awaitEnd).hasMessageContaining("STAGE_LOST");
    await().until(() -> two.closed);
  }

  @Test
  void whatTheLastStageDoesNotTakeIsTheCallersFault() throws Exception {
    start(2);
    Collected answer = new Collected();
    batcher().submit(constrained(prompt(1, 5), "root ::=", 5), answer);
    assertThatThrownBy(answer::awaitEnd).hasMessageContaining("INVALID_REQUEST: grammar");
    ask(prompt(1, 5), 5, "t").awaitEnd();
    assertThat(batcher().load()).isZero();
  }

  @Test
  void tooFewCellsMakeAnswersWaitAndLoseNothing() throws Exception {
    start(3, new BatchLimits(4, 512, 100, false), 600, 128);
    List<Collected> answers = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      answers.add(ask(prompt(i, 200), 100, "t" + i % 3));
    }
    assertAnswers(answers, 200, 100);
  }
}
