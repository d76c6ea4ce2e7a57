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
import dev.cloister.engine.stage.LocalPipeline;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Batches over a context whose answers tell when a wrong token was in its cache. */
class BatcherTest {
  private static final BatchLimits LIMITS = new BatchLimits(4, 512, 100, false);

  private FakeContext context = new FakeContext(LIMITS, LIMITS.cells(), 128);
  private @Nullable Batcher batcher;

  @AfterEach
  void close() {
    if (batcher != null) {
      batcher.close();
      assertThat(context.closed).isTrue();
      assertThat(context.openSamplers).hasValue(0);
      assertThat(context.keptBytes).hasValue(0);
    }
  }

  private Batcher batcher() {
    if (batcher == null) {
      batcher = start(LIMITS);
    }
    return batcher;
  }

  private Batcher start(BatchLimits limits) {
    return Batcher.start(
        new LocalPipeline(context), new FakeVocabulary(), limits, null, System::nanoTime);
  }

  private Collected ask(int[] prompt, int most, String tenant) {
    Collected collected = new Collected();
    batcher().submit(request(prompt, most, tenant), collected);
    return collected;
  }

  @Test
  void answersAreTheSameAloneAndBesideOthers() throws Exception {
    List<Collected> answers = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      answers.add(ask(prompt(i, 3 + 9 * i), 60, "t"));
    }
    for (int i = 0; i < 40; i++) {
      FinishReason reason = answers.get(i).awaitEnd();
      List<Integer> expected = FakeContext.expected(prompt(i, 3 + 9 * i), 60);
      assertThat(answers.get(i).tokens).isEqualTo(expected);
      assertThat(reason).isEqualTo(expected.size() == 60 ? FinishReason.LENGTH : FinishReason.STOP);
      assertThat(answers.get(i).awaitUsage().completionTokens())
          .isEqualTo(expected.size() == 60 ? 60 : expected.size() + 1);
    }
  }

  @Test
  void aNewPromptJoinsWhatIsRunning() throws Exception {
    context.gate = new Semaphore(0);
    Collected first = ask(prompt(1, 5), 100, "t");
    context.gate.release(10);
    await().until(() -> first.tokens.size() >= 5);
    Collected second = ask(prompt(2, 5), 5, "t");
    context.gate.release(20);
    second.awaitEnd();
    assertThat(first.end).isNotDone();
    context.gate.release(1000);
    first.awaitEnd();
  }

  @Test
  void aBatchHasRoomForEverySlotAndAPrompt() {
    BatchLimits many = new BatchLimits(64, 512, 100, false);
    assertThat(many.batchTokens(32)).isEqualTo(128);
    assertThat(many.batchTokens(512)).isEqualTo(512);
    assertThat(new BatchLimits(1, 40, 1, false).batchTokens(512)).isEqualTo(40);
  }

  @Test
  void aLongPromptIsComputedInPiecesBesideRunningAnswers() throws Exception {
    context.gate = new Semaphore(0);
    Collected running = ask(prompt(1, 5), 200, "t");
    context.gate.release(3);
    await().until(() -> running.tokens.size() == 3);
    Collected longOne = ask(prompt(2, 400), 1, "t");
    context.gate.release(2);
    await().until(() -> running.tokens.size() == 5);
    assertThat(longOne.end).isNotDone();
    context.gate.release(1000);
    longOne.awaitEnd();
    assertThat(longOne.tokens).isEqualTo(FakeContext.expected(prompt(2, 400), 1));
    running.awaitEnd();
  }

  @Test
  void whatTwoPromptsShareIsComputedOnce() throws Exception {
    int[] shared = prompt(1, 300);
    ask(joined(shared, prompt(2, 10)), 5, "t").awaitEnd();
    long before = context.computed.get();
    Collected second = ask(joined(shared, prompt(3, 10)), 5, "t");
    second.awaitEnd();
    assertThat(second.cached).isEqualTo(300);
    assertThat(second.awaitUsage().cachedPromptTokens()).isEqualTo(300);
    assertThat(context.computed.get() - before).isLessThanOrEqualTo(15);
    assertThat(second.tokens).isEqualTo(FakeContext.expected(joined(shared, prompt(3, 10)), 5));
  }

  @Test
  void anIdenticalPromptComputesItsLastTokenOnly() throws Exception {
    int[] prompt = prompt(1, 100);
    ask(prompt, 5, "t").awaitEnd();
    Collected again = ask(prompt, 5, "t");
    again.awaitEnd();
    assertThat(again.cached).isEqualTo(99);
    assertThat(again.tokens).isEqualTo(FakeContext.expected(prompt, 5));
  }

  @Test
  void promptsThatArriveTogetherShareTheirBeginning() throws Exception {
    int[] shared = prompt(1, 300);
    List<Collected> answers = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      answers.add(ask(joined(shared, prompt(i, 5)), 5, "t"));
    }
    for (int i = 0; i < 8; i++) {
      answers.get(i).awaitEnd();
      assertThat(answers.get(i).tokens)
          .isEqualTo(FakeContext.expected(joined(shared, prompt(i, 5)), 5));
    }
    assertThat(context.computed.get()).isLessThan(2 * 300);
  }

  @Test
  void nothingIsSharedBetweenTenants() throws Exception {
    int[] prompt = prompt(1, 100);
    ask(prompt, 5, "one").awaitEnd();
    Collected other = ask(prompt, 5, "two");
    other.awaitEnd();
    assertThat(other.cached).isZero();
  }

  @Test
  void theLeastRecentlyUsedPrefixIsGivenUpFirst() throws Exception {
    // Three fit in what may be retained of them.
    int[][] prompts = IntStream.range(0, 4).mapToObj(i -> prompt(i, 160)).toArray(int[][]::new);
    for (int i = 0; i < 3; i++) {
      ask(prompts[i], 1, "t").awaitEnd();
    }
    Collected first = ask(prompts[0], 1, "t");
    first.awaitEnd();
    assertThat(first.cached).isEqualTo(159);
    ask(prompts[3], 1, "t").awaitEnd();
    Collected second = ask(prompts[1], 1, "t");
    second.awaitEnd();
    assertThat(second.cached).isZero();
  }

  @Test
  void theContextsEndIsALength() throws Exception {
    int seed =
        IntStream.range(0, 1000)
            .filter(s -> FakeContext.expected(prompt(s, 500), 12).size() == 12)
            .findFirst()
            .orElseThrow();
    Collected answer = ask(prompt(seed, 500), 0, "t");
    assertThat(answer.awaitEnd()).isEqualTo(FinishReason.LENGTH);
    assertThat(answer.awaitUsage().completionTokens()).isEqualTo(12);
  }

  @Test
  void aListenerThatWantsNoMoreEndsItsAnswer() throws Exception {
    Collected answer = new Collected();
    answer.stopAfter = 3;
    batcher().submit(request(prompt(4, 10), 50, "t"), answer);
    assertThat(answer.awaitEnd()).isEqualTo(FinishReason.STOP);
    assertThat(answer.tokens).hasSize(3);
  }

  @Test
  void aListenerThatIsNotReadyWaitsAndHoldsNobodyUp() throws Exception {
    Collected slow = new Collected();
    slow.ready = false;
    Running running = batcher().submit(request(prompt(1, 10), 50, "t"), slow);
    await().until(() -> !slow.tokens.isEmpty());
    Collected quick = ask(prompt(2, 10), 50, "t");
    quick.awaitEnd();
    assertThat(slow.tokens).hasSize(1);
    slow.ready = true;
    running.resume();
    slow.awaitEnd();
    assertThat(slow.tokens).isEqualTo(FakeContext.expected(prompt(1, 10), 50));
  }

  @Test
  void beyondSlotsAndQueueRequestsAreRefused() {
    context.gate = new Semaphore(0);
    for (int i = 0; i < 104; i++) {
      assertThat(ask(prompt(i, 5), 5, "t").end).isNotDone();
    }
    assertThatThrownBy(() -> ask(prompt(1, 5), 5, "t").awaitEnd())
        .hasMessageContaining("NO_CAPACITY: all 4 slots are busy");
    context.gate.release(100_000);
  }

  @Test
  void aGrammarThatIsNotTakenIsTheCallersFault() throws Exception {
    Collected answer = new Collected();
    batcher().submit(constrained(prompt(1, 5), "root ::=", 5), answer);
    assertThatThrownBy(answer::awaitEnd).hasMessageContaining("INVALID_REQUEST: grammar");
    ask(prompt(1, 5), 5, "t").awaitEnd();
    assertThat(batcher().load()).isZero();
  }

  @Test
  void aFailedBatchFailsItsAnswersAndNoLater() throws Exception {
    context.failNext = true;
    assertThatThrownBy(() -> ask(prompt(1, 5), 5, "t").awaitEnd())
        .hasMessageContaining("INTERNAL: the engine failed");
    ask(prompt(1, 5), 5, "t").awaitEnd();
    assertThat(batcher().load()).isZero();
  }

  @Test
  void aFailedBatchLeavesNothingHalfInOthers() throws Exception {
    int[] kept = prompt(1, 50);
    ask(kept, 5, "t").awaitEnd();
    Collected beside = new Collected();
    beside.ready = false;
    Running running = batcher().submit(request(prompt(2, 40), 20, "t"), beside);
    await().until(() -> !beside.tokens.isEmpty());
    context.failNext = true;
    assertThatThrownBy(() -> ask(prompt(3, 5), 5, "t").awaitEnd())
        .hasMessageContaining("INTERNAL: the engine failed");
    beside.ready = true;
    running.resume();
    beside.awaitEnd();
    assertThat(beside.tokens).isEqualTo(FakeContext.expected(prompt(2, 40), 20));
    Collected again = ask(kept, 5, "t");
    again.awaitEnd();
    assertThat(again.tokens).isEqualTo(FakeContext.expected(kept, 5));
  }

  @ParameterizedTest
  @ValueSource(strings = {"started", "token", "ready", "finished"})
  void aListenerThatThrowsCostsItsOwnAnswerOnly(String call) throws Exception {
    for (int i = 0; i < 10; i++) {
      Collected broken = new Collected();
      broken.broken = call;
      broken.stopAfter = 3;
      batcher().submit(request(prompt(i, 30), 5, "t"), broken);
      Collected whole = ask(prompt(i, 40), 20, "t");
      if (!call.equals("ready")) {
        assertThatThrownBy(broken::awaitEnd).hasMessageContaining("INTERNAL: the engine failed");
      }
      whole.awaitEnd();
      assertThat(whole.tokens).isEqualTo(FakeContext.expected(prompt(i, 40), 20));
    }
    await().until(() -> batcher().load() == 0);
  }

  @Test
  void aPromptThatTheCacheCannotHoldFailsAlone() throws Exception {
    context = new FakeContext(LIMITS, 100, 128);
    assertThatThrownBy(() -> ask(prompt(1, 200), 5, "t").awaitEnd())
        .hasMessageContaining("INTERNAL: the KV cache has no room");
    Collected after = ask(prompt(2, 20), 5, "t");
    after.awaitEnd();
    assertThat(after.tokens).isEqualTo(FakeContext.expected(prompt(2, 20), 5));
  }

  @Test
  void aDefectIsToldToEverybody() throws Exception {
    Batcher alive = batcher();
    ask(prompt(1, 5), 5, "t").awaitEnd();
    assertThat(alive.broken()).isNotDone();
    context.broken = true;
    assertThatThrownBy(() -> ask(prompt(2, 5), 5, "t").awaitEnd())
        .hasMessageMatching("(?s).*the engine (has )?failed.*");
    alive.broken().get(5, TimeUnit.SECONDS);
    assertThatThrownBy(() -> ask(prompt(3, 5), 5, "t").awaitEnd())
        .hasMessageContaining("the model must be loaded again");
  }

  @Test
  void tooFewCellsMakeAnswersWaitAndLoseNothing() throws Exception {
    context = new FakeContext(LIMITS, 600, 128);
    List<Collected> answers = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      answers.add(ask(prompt(i, 200), 100, "t" + i % 3));
    }
    for (int i = 0; i < 30; i++) {
      answers.get(i).awaitEnd();
      assertThat(answers.get(i).tokens).isEqualTo(FakeContext.expected(prompt(i, 200), 100));
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
  void randomArrivalsAndCancellationsLeaveNothingBehind(long seed) throws Exception {
    Random random = new Random(seed);
    boolean recurrent = random.nextInt(4) == 0;
    long shelfBytes = recurrent ? 0 : random.nextInt(3) * 256L * FakeContext.TOKEN_BYTES;
    BatchLimits limits = new BatchLimits(1 + random.nextInt(6), 256, 500, recurrent, shelfBytes);
    context = new FakeContext(limits, limits.cells() - random.nextInt(100), 64);
    batcher = start(limits);
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
          batcher.submit(request(prompt, 1 + random.nextInt(60), "t" + random.nextInt(2)), answer);
      prompts.add(prompt);
      answers.add(answer);
      cancelled.add(random.nextInt(3) == 0);
      if (cancelled.getLast()) {
        int tokens = random.nextInt(10);
        if (tokens > 6) {
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
    assertThat(batcher.load()).isZero();
    assertThat(context.usedCells()).isLessThanOrEqualTo(limits.retainedTokens());
  }

  @Test
  void closingEndsWhatRuns() throws Exception {
    context.gate = new Semaphore(0);
    Collected running = ask(prompt(1, 5), 500, "t");
    context.gate.release(3);
    await().until(() -> running.tokens.size() == 3);
    Thread closing = Thread.ofVirtual().start(() -> batcher().close());
    context.gate.release(100_000);
    closing.join();
    assertThat(running.awaitEnd()).isEqualTo(FinishReason.CANCELLED);
    assertThatThrownBy(() -> ask(prompt(1, 5), 5, "t").awaitEnd())
        .hasMessageContaining("being unloaded");
  }
}
