package dev.cloister.engine.batching;

import static dev.cloister.engine.batching.Prompts.prompt;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cloister.engine.generation.PrefixNews;
import dev.cloister.engine.generation.Sampling;
import dev.cloister.engine.stage.LocalPipeline;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

class HeldPrefixesTest {
  private static final BatchLimits LIMITS = new BatchLimits(2, 1_024, 100, false);
  private static final MarkedPrompt PROMPT = new MarkedPrompt(List.of(1L, 2L, 3L, 4L), 450);

  private final List<PrefixNews> told = new CopyOnWriteArrayList<>();
  private final HeldPrefixes prefixes = new HeldPrefixes(false);

  @Test
  void marksStandForTheirPartOfThePrompt() {
    assertThat(PROMPT.tokensAt(0)).isEqualTo(100);
    assertThat(PROMPT.tokensAt(3)).isEqualTo(400);
    assertThat(PROMPT.within(450)).isEqualTo(4);
    assertThat(PROMPT.within(399)).isEqualTo(3);
    assertThat(PROMPT.within(99)).isZero();
    assertThat(new MarkedPrompt(List.of(), 5).within(5)).isZero();
  }

  @Test
  void whatSeveralSequencesHoldIsDroppedWithTheLastOfThem() {
    prefixes.watch(told::add);
    prefixes.add(PROMPT, 450);
    prefixes.add(PROMPT, 200);
    prefixes.remove(PROMPT, 450);
    prefixes.tell(2_000_000_000);
    prefixes.remove(PROMPT, 200);
    prefixes.tell(4_000_000_000L);
    assertThat(told)
        .containsExactly(
            new PrefixNews(true, List.of(), List.of(), List.of()),
            new PrefixNews(false, List.of(1L, 2L), List.of(100, 200), List.of()),
            new PrefixNews(false, List.of(), List.of(), List.of(1L, 2L)));
  }

  @Test
  void newsWaitForASecondUnlessAnAnswerHasEnded() {
    prefixes.watch(told::add);
    told.clear();
    prefixes.add(PROMPT, 100);
    prefixes.tell(999_999_999);
    assertThat(told).isEmpty();
    prefixes.hurry();
    prefixes.tell(999_999_999);
    assertThat(told).hasSize(1);
  }

  @Test
  void whoComesLaterIsToldTheWhole() {
    prefixes.add(PROMPT, 200);
    prefixes.clear();
    prefixes.add(PROMPT, 100);
    prefixes.watch(told::add);
    assertThat(told).containsExactly(new PrefixNews(true, List.of(1L), List.of(100), List.of()));
    assertThat(prefixes.hasNews()).isFalse();
  }

  @Test
  void ofARecurrentModelOnlyTheWholeIsOfUse() {
    HeldPrefixes recurrent = new HeldPrefixes(true);
    recurrent.add(PROMPT, 450);
    recurrent.watch(told::add);
    assertThat(told).containsExactly(new PrefixNews(true, List.of(4L), List.of(400), List.of()));
  }

  @Test
  void aBatcherTellsWhatItsSequencesHold() throws Exception {
    FakeContext context = new FakeContext(LIMITS, LIMITS.cells(), 128);
    Map<Long, Integer> held = new ConcurrentHashMap<>();
    try (Batcher batcher =
        Batcher.start(
            new LocalPipeline(context), new FakeVocabulary(), LIMITS, null, System::nanoTime)) {
      batcher.watchPrefixes(
          news -> {
            for (int i = 0; i < news.held().size(); i++) {
              held.put(news.held().get(i), news.tokens().get(i));
            }
            news.dropped().forEach(held::remove);
          });
      ask(batcher, 1, 100, List.of(11L, 12L));
      await().until(() -> held.equals(Map.of(11L, 40, 12L, 80)));
      for (int i = 2; i < 20; i++) {
        ask(batcher, i, 300, List.of(100L + i));
      }
      // What is kept is bounded, so that the oldest have been given up.
      await().until(() -> held.keySet().equals(Set.of(119L)));
    }
  }

  private static void ask(Batcher batcher, int seed, int length, List<Long> marks)
      throws Exception {
    Collected answer = new Collected();
    batcher.submit(
        new TokenRequest(
            prompt(seed, length),
            new int[0],
            Sampling.GREEDY,
            Optional.empty(),
            3,
            OptionalInt.empty(),
            "t",
            marks),
        answer);
    answer.awaitEnd();
  }
}
