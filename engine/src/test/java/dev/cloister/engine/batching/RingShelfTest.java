package dev.cloister.engine.batching;

import static dev.cloister.engine.batching.Prompts.joined;
import static dev.cloister.engine.batching.Prompts.prompt;
import static dev.cloister.engine.batching.Prompts.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Sequences that make way for others in the KV caches of all stages of a ring. */
class RingShelfTest {
  private static final int STAGES = 3;
  private static final int CONTEXT = 1000;
  private static final long SHELF_BYTES = (long) CONTEXT * FakeContext.TOKEN_BYTES;

  private @Nullable FakeRing ring;
  private @Nullable Batcher batcher;

  private FakeRing start(long laterShelfBytes) {
    BatchLimits limits = new BatchLimits(4, CONTEXT, 100, false, SHELF_BYTES);
    FakeRing made = new FakeRing(STAGES, limits, limits.cells(), 128, laterShelfBytes);
    ring = made;
    batcher = Batcher.start(made.first, new FakeVocabulary(), limits, null, System::nanoTime);
    connect(made);
    return made;
  }

  private static void connect(FakeRing ring) {
    ring.connect();
    await().until(() -> ring.closed);
  }

  @AfterEach
  void close() {
    if (batcher != null && ring != null) {
      batcher.close();
      ring.close();
      ring.requireNothingLeft();
    }
  }

  private Collected ask(int[] prompt) throws Exception {
    Collected collected = new Collected();
    Objects.requireNonNull(batcher).submit(request(prompt, 3, "t"), collected);
    collected.awaitEnd();
    assertThat(collected.tokens).isEqualTo(FakeContext.expected(prompt, 3));
    return collected;
  }

  private static List<Long> keptTokens(FakeRing ring) {
    return ring.contexts.stream().map(c -> c.keptBytes.get() / FakeContext.TOKEN_BYTES).toList();
  }

  @Test
  void whatEndedLeavesTheCellsOfAllStages() throws Exception {
    FakeRing three = start(SHELF_BYTES);
    ask(prompt(1, 200));
    assertThat(keptTokens(three)).containsOnly(0L);
    ask(prompt(2, 50));
    await().until(() -> three.contexts.stream().allMatch(context -> context.usedCells() < 60));
    assertThat(keptTokens(three)).allMatch(tokens -> tokens >= 200 && tokens <= 202);
  }

  @Test
  void whoGoesOnGetsItBackAtAllStages() throws Exception {
    FakeRing three = start(SHELF_BYTES);
    ask(prompt(1, 200));
    ask(prompt(2, 50));
    Collected next = ask(joined(prompt(1, 200), prompt(3, 20)));
    assertThat(next.cached).isEqualTo(200);
    assertThat(next.awaitUsage().cachedPromptTokens()).isEqualTo(200);
    for (FakeContext context : three.contexts) {
      assertThat(context.unshelved).hasValue(1);
    }
    // It left the shelf, and what ended behind it came there.
    await()
        .until(() -> keptTokens(three).stream().allMatch(tokens -> tokens >= 50 && tokens <= 52));
  }

  @Test
  void whatIsGivenUpIsGivenUpByAllStages() throws Exception {
    FakeRing three = start(SHELF_BYTES);
    for (int i = 0; i < 12; i++) {
      ask(prompt(i, 200));
    }
    assertThat(keptTokens(three)).allMatch(tokens -> tokens >= 800 && tokens <= CONTEXT);
    assertThat(ask(prompt(10, 200)).cached).isEqualTo(199);
    assertThat(ask(prompt(1, 200)).cached).isZero();
  }

  @Test
  void whatWasKeptEndsWithTheConnection() throws Exception {
    FakeRing three = start(SHELF_BYTES);
    for (int round = 0; round < 2; round++) {
      assertThat(ask(prompt(1, 200)).cached).isZero();
      assertThat(ask(prompt(2, 50)).cached).isZero();
      assertThat(keptTokens(three)).allMatch(tokens -> tokens >= 200);
      three.lose();
      await().until(() -> keptTokens(three).equals(List.of(0L, 0L, 0L)));
      connect(three);
    }
    assertThat(ask(prompt(1, 200)).cached).isZero();
  }

  /** One on a GPU, or whose machine has less memory than was planned with. */
  @Test
  void aStageWithoutRoomIsFoundOutAndThenNothingIsKept() throws Exception {
    FakeRing three = start(0);
    ask(prompt(1, 200));
    ask(prompt(2, 50));
    assertThat(keptTokens(three)).satisfies(kept -> assertThat(kept.getFirst()).isPositive());
    assertThat(ask(joined(prompt(1, 200), prompt(3, 20))).cached).isEqualTo(200);
    long computed = three.contexts.getFirst().computed.get();
    assertThat(three.contexts.getFirst().unshelved).hasValue(1);
    assertThat(keptTokens(three)).containsOnly(0L);
    // As without a shelf: the cells of the last one serve the next.
    ask(prompt(4, 100));
    assertThat(ask(joined(prompt(4, 100), prompt(5, 20))).cached).isEqualTo(100);
    assertThat(keptTokens(three)).containsOnly(0L);
    assertThat(three.contexts.getFirst().computed.get() - computed).isLessThan(130);
    // Whoever connects anew is tried anew.
    three.lose();
    await().until(() -> !three.closed);
    connect(three);
    ask(prompt(1, 200));
    ask(prompt(2, 50));
    assertThat(three.contexts.getFirst().keptBytes).doesNotHaveValue(0);
  }

  @Test
  void aStateThatALaterStageDoesNotTakeIsComputedAgain() throws Exception {
    FakeRing three = start(SHELF_BYTES);
    ask(prompt(1, 200));
    ask(prompt(2, 50));
    three.contexts.get(1).refuseStates = true;
    ask(joined(prompt(1, 200), prompt(3, 20)));
    assertThat(keptTokens(three)).containsOnly(0L);
    ask(prompt(4, 100));
    ask(prompt(5, 100));
  }
}
