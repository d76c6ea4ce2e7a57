package dev.cloister.engine.batching;

import static dev.cloister.engine.batching.Prompts.joined;
import static dev.cloister.engine.batching.Prompts.prompt;
import static dev.cloister.engine.batching.Prompts.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cloister.engine.generation.LoadedModel.Running;
import dev.cloister.engine.generation.Sampling;
import dev.cloister.engine.stage.LocalPipeline;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sequences that make way for others in the KV cache, as a batcher moves them out and in. */
class PrefixShelfTest {
  private static final int CONTEXT = 1000;

  private FakeContext context = new FakeContext(limits(CONTEXT), 4 * CONTEXT, 128);
  private @Nullable Batcher batcher;

  /** A shelf for so many tokens. */
  private static BatchLimits limits(int tokens) {
    return new BatchLimits(4, CONTEXT, 100, false, (long) tokens * FakeContext.TOKEN_BYTES);
  }

  @BeforeEach
  void start() {
    start(limits(CONTEXT), null);
  }

  private void start(BatchLimits limits, @Nullable PrefixStore store) {
    close();
    context = new FakeContext(limits, 4 * CONTEXT, 128);
    batcher = batcher(limits, store);
  }

  private Batcher batcher(BatchLimits limits, @Nullable PrefixStore store) {
    return Batcher.start(
        new LocalPipeline(context), new FakeVocabulary(), limits, store, System::nanoTime);
  }

  @AfterEach
  void close() {
    if (batcher != null) {
      batcher.close();
      assertThat(context.closed).isTrue();
      assertThat(context.keptBytes).hasValue(0);
    }
  }

  private Running submit(int[] prompt, int most, String tenant, Collected to) {
    if (batcher == null) {
      throw new IllegalStateException("no batcher");
    }
    return batcher.submit(request(prompt, most, tenant), to);
  }

  private Collected ask(int[] prompt, String tenant) throws Exception {
    Collected collected = new Collected();
    submit(prompt, 3, tenant, collected);
    collected.awaitEnd();
    assertThat(collected.tokens).isEqualTo(FakeContext.expected(prompt, 3));
    return collected;
  }

  private long keptTokens() {
    return context.keptBytes.get() / FakeContext.TOKEN_BYTES;
  }

  @Test
  void whatEndedLeavesTheCellsWhileOthersAreAnswered() throws Exception {
    ask(prompt(1, 200), "t");
    assertThat(context.keptBytes).hasValue(0);
    Collected running = new Collected();
    running.ready = false;
    Running answer = submit(prompt(2, 50), 50, "t", running);
    await().until(() -> !running.tokens.isEmpty());
    assertThat(context.usedCells()).isLessThan(60);
    assertThat(keptTokens()).isBetween(200L, 202L);
    ask(prompt(3, 100), "t");
    await().until(() -> keptTokens() >= 300);
    answer.cancel();
    running.awaitEnd();
  }

  @Test
  void whoGoesOnTakesItOffTheShelf() throws Exception {
    ask(prompt(1, 200), "t");
    ask(prompt(2, 50), "t");
    assertThat(keptTokens()).isGreaterThanOrEqualTo(200);
    Collected next = ask(joined(prompt(1, 200), prompt(3, 20)), "t");
    assertThat(next.cached).isEqualTo(200);
    assertThat(next.awaitUsage().cachedPromptTokens()).isEqualTo(200);
    assertThat(context.unshelved).hasValue(1);
    assertThat(keptTokens()).isBetween(50L, 52L);
  }

  @Test
  void aSharedBeginningStaysForTheNext() throws Exception {
    int[] shared = prompt(1, 100);
    ask(joined(shared, prompt(2, 200)), "t");
    ask(prompt(3, 50), "t");
    for (int i = 0; i < 3; i++) {
      assertThat(ask(joined(shared, prompt(10 + i, 30)), "t").cached).isEqualTo(100);
      ask(prompt(20 + i, 50), "t");
    }
    assertThat(ask(joined(shared, prompt(2, 200)), "t").cached).isEqualTo(299);
  }

  @Test
  void tenantsTakeNothingOfEachOther() throws Exception {
    ask(prompt(1, 200), "one");
    ask(prompt(2, 50), "one");
    assertThat(ask(prompt(1, 200), "two").cached).isZero();
    assertThat(ask(prompt(1, 200), "one").cached).isEqualTo(199);
  }

  @Test
  void theLeastRecentlyUsedGoesFirst() throws Exception {
    start(limits(600), null);
    for (int i = 0; i < 3; i++) {
      ask(prompt(i, 200), "t");
    }
    // The first two are on the shelf, the third comes there now, and has room in place of one.
    assertThat(ask(joined(Arrays.copyOf(prompt(0, 200), 100), prompt(9, 50)), "t").cached)
        .isEqualTo(100);
    assertThat(keptTokens()).isBetween(400L, 404L);
    assertThat(ask(prompt(1, 200), "t").cached).isZero();
    assertThat(keptTokens()).isLessThanOrEqualTo(600);
    assertThat(ask(prompt(0, 200), "t").cached).isEqualTo(199);
  }

  @Test
  void whatIsTooLargeForTheShelfStaysInItsCells() throws Exception {
    start(limits(100), null);
    ask(prompt(1, 600), "t");
    ask(prompt(2, 50), "t");
    assertThat(keptTokens()).isZero();
    assertThat(ask(prompt(2, 50), "t").cached).isEqualTo(49);
    start(limits(100), null);
    ask(prompt(1, 300), "t");
    ask(prompt(2, 50), "t");
    assertThat(ask(prompt(1, 300), "t").cached).isEqualTo(299);
    assertThat(keptTokens()).isBetween(50L, 52L);
  }

  @Test
  void aStateThatIsNotTakenCostsThePrefixOnly() throws Exception {
    ask(prompt(1, 200), "t");
    ask(prompt(2, 50), "t");
    context.refuseStates = true;
    assertThat(ask(prompt(1, 200), "t").cached).isZero();
    context.refuseStates = false;
    ask(prompt(3, 50), "t");
    assertThat(ask(prompt(1, 200), "t").cached).isEqualTo(199);
  }

  @Test
  void aPromptDoesNotWaitForWhatLiesOnTheShelf() throws Exception {
    int[] shared = prompt(1, 200);
    ask(shared, "t");
    List<Collected> answers = new ArrayList<>();
    ask(prompt(2, 50), "t");
    for (int i = 0; i < 4; i++) {
      Collected answer = new Collected();
      submit(joined(shared, prompt(10 + i, 20)), 3, "t", answer);
      answers.add(answer);
    }
    for (int i = 0; i < 4; i++) {
      answers.get(i).awaitEnd();
      assertThat(answers.get(i).cached).isGreaterThanOrEqualTo(200);
    }
  }

  @Test
  void aConversationIsOnTheShelfOnce() throws Exception {
    int[] conversation = prompt(1, 100);
    for (int turn = 0; turn < 4; turn++) {
      conversation = joined(conversation, prompt(10 + turn, 50));
      ask(conversation, "t");
      ask(prompt(20 + turn, 17), "other");
    }
    assertThat(keptTokens()).isLessThan(300 + 4 * 20);
  }

  @Test
  void whatLiesOnTheShelfIsHeldUntilItIsGivenUp() throws Exception {
    start(limits(300), null);
    Set<Long> held = ConcurrentHashMap.newKeySet();
    Batcher running = batcher;
    if (running != null) {
      running.watchPrefixes(
          news -> {
            held.addAll(news.held());
            news.dropped().forEach(held::remove);
          });
      for (int i = 0; i < 3; i++) {
        Collected answer = new Collected();
        running.submit(marked(i), answer);
        answer.awaitEnd();
      }
    }
    // The first made way for the second when the third began.
    await().untilAsserted(() -> assertThat(held).containsExactlyInAnyOrder(1L, 2L));
  }

  private static TokenRequest marked(int mark) {
    return new TokenRequest(
        prompt(mark, 200),
        new int[0],
        Sampling.GREEDY,
        Optional.empty(),
        3,
        OptionalInt.empty(),
        "t",
        List.of((long) mark));
  }

  @Test
  void whatLiesOnTheShelfIsWrittenToDisk(@TempDir Path directory) throws Exception {
    BatchLimits limits = limits(CONTEXT);
    close();
    for (int i = 0; i < 2; i++) {
      context = new FakeContext(limits, 4 * CONTEXT, 128);
      batcher =
          batcher(limits, PrefixStore.open(directory, 1 << 20, context, InstantSource.system()));
      for (int seed = 1; seed < 4; seed++) {
        assertThat(ask(prompt(seed, 100), "t").cached).isEqualTo(i == 0 ? 0 : 99);
      }
      close();
      assertThat(context.saves).hasValue(i == 0 ? 3 : 0);
    }
  }
}
