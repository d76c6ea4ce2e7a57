package dev.cloister.coordinator.routing.choice;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.common.collect.HashMultiset;
import com.google.common.collect.Multiset;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.OptionalDouble;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

class ModelLedgerTest {
  private static final long MILLI = 1_000_000;
  private static final int PROMPT = 1_000;

  private final ModelLedger ledger = new ModelLedger();
  private long now = 1_000 * MILLI;

  @Test
  void workIsCountedFromWhenItIsSentUntilItEnds() {
    join("a", "desk");
    Work first = begin("a");
    Work second = begin("a");
    assertThat(at("a").active()).isEqualTo(2);
    assertThat(at("a").pendingTokens()).isEqualTo(200);
    assertThat(at("a").pendingPromptTokens()).isEqualTo(2L * ledger.ask(PROMPT, 0).promptTokens());
    ledger.ended(first, now);
    ledger.ended(first, now);
    assertThat(at("a").active()).isEqualTo(1);
    ledger.started(second, 500, 250, now);
    assertThat(at("a").pendingPromptTokens())
        .isCloseTo(ledger.ask(PROMPT, 0).promptTokens() / 2, within(10L));
    ledger.made(second, 1, 4, now);
    assertThat(at("a").pendingPromptTokens()).isZero();
    assertThat(at("a").pendingTokens()).isEqualTo(99);
    ledger.made(second, 1_000, 4_000, now);
    assertThat(at("a").pendingTokens()).isEqualTo(1);
    ledger.ended(second, now);
    assertThat(at("a").active()).isZero();
    assertThat(at("a").pendingTokens()).isZero();
    assertThat(at("a").served()).isEqualTo(2);
  }

  @Test
  void workOnANodeThatWentIsStillCountedAndWhatWasSeenIsRemembered() {
    join("a", "desk");
    answer("a", 64, 20);
    Work running = begin("a");
    ledger.remove("a");
    assertThat(ledger.candidate("a")).isEmpty();
    assertThat(decide().predictions()).isEmpty();
    ledger.ended(running, now);
    join("a", "desk");
    assertThat(at("a").active()).isZero();
    assertThat(at("a").speed().tokensPerSecond(1)).isCloseTo(50, within(0.1));
  }

  @Test
  void theRateIsThatOfTheTokensAfterTheFirst() {
    join("a", "desk");
    answer("a", 40, 50);
    assertThat(at("a").speed().measured()).isTrue();
    assertThat(at("a").speed().tokensPerSecond(1)).isCloseTo(20, within(0.01));
  }

  @Test
  void theRateAtALoadIsLearntFromLoads() {
    join("a", "desk");
    // 10 ms and 5 ms more for each answer at once.
    for (int round = 0; round < 20; round++) {
      answers(1, 64, 15);
      answers(4, 64, 30);
    }
    Speed speed = at("a").speed();
    assertThat(speed.tokenSeconds(1)).isCloseTo(0.015, Percentage.withPercentage(10));
    assertThat(speed.tokenSeconds(4)).isCloseTo(0.030, Percentage.withPercentage(10));
    assertThat(speed.tokenSeconds(8)).isCloseTo(0.050, Percentage.withPercentage(15));
  }

  @Test
  void promptsAreMeasuredFromTheSlotToTheFirstTokenByWhatIsNotCached() {
    join("a", "desk");
    answer("a", 16, 10);
    for (int round = 0; round < 30; round++) {
      int characters = round % 2 == 0 ? 400 : 4_000;
      int tokens = characters / 4;
      Work work = begin("a", characters);
      now += 500 * MILLI; // waiting for its slot says nothing of prompts
      boolean cached = round % 3 == 0;
      ledger.started(work, tokens, cached ? tokens / 2 : 0, now);
      int computed = cached ? work.ask.promptTokens() / 2 : work.ask.promptTokens();
      now += 20 * MILLI + computed * MILLI / 2;
      ledger.made(work, 1, 4, now);
      ledger.ended(work, now);
    }
    assertThat(at("a").speed().promptTokensPerSecond())
        .isCloseTo(2_000, Percentage.withPercentage(15));
    assertThat(ledger.ask(1_000, 0).promptTokens()).isCloseTo(250, within(25));
  }

  @Test
  void whatAnEngineTakesToWarmUpIsNotItsSpeed() {
    join("a", "desk");
    answer("a", 16, 500);
    assertThat(at("a").speed().measured()).isFalse();
    answer("a", 16, 10);
    assertThat(at("a").speed().tokensPerSecond(1)).isCloseTo(100, within(0.1));
    ledger.remove("a");
    ledger.loading("a");
    join("a", "desk");
    answer("a", 16, 500);
    assertThat(at("a").speed().tokensPerSecond(1)).isCloseTo(100, within(0.1));
  }

  @Test
  void answersThatRanBesideTheFirstOneSayNothingOfSpeedEither() {
    join("a", "desk");
    answers(4, 16, 500);
    assertThat(at("a").speed().measured()).isFalse();
    answers(4, 64, 10);
    assertThat(at("a").speed().tokenSeconds(4)).isCloseTo(0.01, within(0.0001));
  }

  @Test
  void aNodeNotMeasuredYetCountsAsOthersOfItsKindOrAsTheFastestKind() {
    join("slow desk", "desk");
    join("fast desk", "desk");
    join("server", "server");
    answer("slow desk", 64, 100);
    answer("fast desk", 64, 50);
    answer("server", 64, 10);
    join("new desk", "desk");
    join("new thing", "thing");
    assertThat(at("new desk").speed().measured()).isFalse();
    assertThat(at("new desk").speed().tokenSeconds(1)).isCloseTo(0.075, within(0.001));
    assertThat(at("new thing").speed().tokensPerSecond(1)).isCloseTo(100, within(0.1));
  }

  @Test
  void tokensThatNoTextHasRoomForMakeANodeNoFaster() {
    join("honest", "desk");
    join("liar", "desk");
    for (int round = 0; round < 20; round++) {
      answer("honest", 64, 20);
    }
    Work work = begin("liar");
    ledger.started(work, 250, 0, now);
    for (int i = 0; i < 64; i++) {
      ledger.made(work, 1_000, 4, now += 20 * MILLI);
    }
    ledger.ended(work, now);
    assertThat(at("honest").speed().tokensPerSecond(1)).isCloseTo(50, within(2.0));
    // Twice what is usual is let pass: texts differ.
    assertThat(at("liar").speed().tokensPerSecond(1)).isLessThan(160);
  }

  @Test
  void aClockThatStandsStillOrWentBackMeasuresNothing() {
    join("a", "desk");
    Work work = begin("a");
    ledger.started(work, 10, 0, now);
    for (int i = 0; i < 100; i++) {
      ledger.made(work, 1, 4, now - i * MILLI);
    }
    ledger.ended(work, now - 1_000 * MILLI);
    assertThat(at("a").speed().measured()).isFalse();
    assertThat(at("a").speed()).isEqualTo(Speed.ASSUMED);
  }

  @Test
  void aPromptOfMoreTokensThanItIsLongAndMoreCachedThanThereAreDoNoHarm() {
    join("a", "desk");
    for (int round = 0; round < 10; round++) {
      Work work = begin("a");
      ledger.started(work, 1_000_000_000, 2_000_000_000, now);
      now += MILLI;
      ledger.made(work, 1, 4, now);
      ledger.ended(work, now);
    }
    assertThat(ledger.ask(PROMPT, 0).promptTokens()).isLessThan(400);
    assertThat(at("a").speed().promptTokensPerSecond()).isLessThan(1_300);
  }

  @Test
  void aSpeedSeenLongAgoIsThatOfItsKindAndLaterAnyAgain() {
    join("a", "desk");
    answer("a", 64, 20);
    now += 599_000 * MILLI;
    ledger.refresh(now);
    assertThat(at("a").speed().measured()).isTrue();
    now += 2_000 * MILLI;
    ledger.refresh(now);
    assertThat(at("a").speed().measured()).isFalse();
    assertThat(at("a").speed().tokensPerSecond(1)).isCloseTo(50, within(0.1));
    now += 3_000_000 * MILLI;
    ledger.refresh(now);
    assertThat(at("a").speed()).isEqualTo(Speed.ASSUMED);
  }

  @Test
  void aNodeThatJoinsUnderLoadGetsTheNextRequests() {
    join("a", "desk");
    answer("a", 64, 20);
    for (int i = 0; i < 12; i++) {
      begin("a");
    }
    join("b", "desk");
    for (int i = 0; i < 4; i++) {
      assertThat(give()).isEqualTo("b");
    }
  }

  @Test
  void aNodeThatClaimsTwoBillionSlotsIsNotFull() {
    ledger.put(
        new Host("vast", "vast", "desk", 2_000_000_000, true, false, OptionalDouble.empty()));
    begin("vast");
    assertThat(at("vast").full()).isFalse();
  }

  @Test
  void aFirstMeasurementThatIsFiveTimesTooSlowDoesNotKeepANodeFromTakingPart() {
    join("desk", "pc");
    join("rack", "pc");
    answer("desk", 64, 20);
    answer("rack", 16, 20);
    answer("rack", 16, 100);
    Multiset<String> given = HashMultiset.create();
    for (int i = 0; i < 16; i++) {
      given.add(give());
      assertThat(given.count("rack") > 0 || given.count("desk") <= 4).isTrue();
    }
    assertThat(given.count("rack")).isBetween(4, 8);
  }

  @Test
  void aFirstMeasurementThatIsFiveTimesTooFastDrawsNoHerd() {
    join("desk", "pc");
    join("rack", "pc");
    answer("desk", 64, 20);
    answer("rack", 16, 20);
    answer("rack", 16, 4);
    Multiset<String> given = HashMultiset.create();
    for (int i = 0; i < 16; i++) {
      given.add(give());
    }
    assertThat(given.count("desk")).isBetween(4, 8);
  }

  @Test
  void aKindThatIsNotKnownIsTriedByOneRequest() {
    join("server", "server");
    answer("server", 64, 10);
    for (int i = 0; i < 6; i++) {
      join("laptop" + i, "laptop");
    }
    Multiset<String> given = HashMultiset.create();
    for (int i = 0; i < 6; i++) {
      given.add(give());
    }
    assertThat(given.count("server")).isEqualTo(5);
  }

  @Test
  void aKindThatIsSeenIsTriedNoMore() {
    join("server", "server");
    answer("server", 64, 10);
    join("laptop1", "laptop");
    join("laptop2", "laptop");
    answer("laptop1", 64, 100);
    now += 700_000 * MILLI;
    ledger.refresh(now);
    assertThat(decide().ready().orElseThrow().candidate().nodeId()).isEqualTo("server");
    assertThat(at("laptop2").speed().tokensPerSecond(1)).isCloseTo(10, within(0.1));
  }

  @Test
  void kindsOfWhichNothingIsKnownShareEvenly() {
    join("desk", "desk");
    join("rack", "rack");
    Multiset<String> given = HashMultiset.create();
    for (int i = 0; i < 16; i++) {
      given.add(give());
    }
    assertThat(given.count("desk")).isEqualTo(8);
  }

  /** Has a request go where it is decided, and stay there. */
  private String give() {
    Decision decision = decide();
    ledger.began(decision.predictions().getFirst(), PROMPT, now);
    return decision.ready().orElseThrow().candidate().nodeId();
  }

  @Test
  void aNodeWhoseFirstTokensAreMuchLaterThanPredictedIsGivenLess() {
    join("a", "desk");
    answer("a", 64, 20);
    assertThat(at("a").limit()).isEqualTo(20);
    Deque<Work> waiting = new ArrayDeque<>();
    for (int i = 0; i < 20; i++) {
      waiting.add(begin("a"));
    }
    assertThat(at("a").full()).isTrue();
    firstTokens(waiting, 30, 100_000);
    assertThat(at("a").limit()).isEqualTo(4);
    firstTokens(waiting, 150, 1);
    assertThat(at("a").limit()).isEqualTo(20);
  }

  /** Has those that waited longest begin, one after the other, and others come in their place. */
  private void firstTokens(Deque<Work> waiting, int count, int millisEach) {
    for (int i = 0; i < count; i++) {
      now += millisEach * MILLI;
      Work work = waiting.removeFirst();
      ledger.started(work, 250, 0, now);
      ledger.made(work, 1, 4, now);
      ledger.ended(work, now);
      waiting.addLast(begin("a"));
    }
  }

  @Test
  void aNodeThatFailedInARowIsLeftOutUnlessThereIsNoOther() {
    join("a", "desk");
    for (int i = 0; i < 5; i++) {
      Work work = begin("a");
      ledger.ended(work, now);
      ledger.failed(work, false, now);
    }
    assertThat(at("a").ejected()).isTrue();
    join("b", "desk");
    assertThat(decide().ready().orElseThrow().candidate().nodeId()).isEqualTo("b");
    ledger.remove("b");
    assertThat(decide().ready().orElseThrow().candidate().nodeId()).isEqualTo("a");
    assertThat(at("a").limit()).isEqualTo(1);
  }

  @Test
  void anEngineDiesOnceHoweverMuchGoesDownWithIt() {
    join("a", "desk");
    Work first = begin("a");
    Work second = begin("a");
    now += MILLI;
    assertThat(ledger.failed(first, true, now)).isTrue();
    now += MILLI;
    assertThat(ledger.failed(second, true, now)).isFalse();
    assertThat(ledger.failed(begin("a"), true, now)).isTrue();
  }

  @Test
  void answersOfOtherModelsOnANodeCountLikeThoseOfThisOne() {
    join("a", "desk");
    for (int i = 0; i < 10; i++) {
      answers(1, 64, 20);
      answers(4, 64, 50);
    }
    double alone = at("a").speed().tokensPerSecond(1);
    double withThree = at("a").speed().tokensPerSecond(4);
    assertThat(withThree).isLessThan(alone / 2);
    ledger.others("a", 3, now);
    assertThat(at("a").speed().tokensPerSecond(1)).isCloseTo(withThree, within(1e-6));
    answers(1, 64, 50);
    ledger.others("a", 0, now);
    assertThat(at("a").speed().tokensPerSecond(1))
        .as("what was slow because of others is fast without them")
        .isCloseTo(alone, Percentage.withPercentage(10));
  }

  private void answers(int atOnce, int tokens, int millisPerToken) {
    Work[] works = new Work[atOnce];
    for (int i = 0; i < atOnce; i++) {
      works[i] = begin("a");
      ledger.started(works[i], 250, 0, now);
      ledger.made(works[i], 1, 4, now);
    }
    for (int token = 0; token < tokens; token++) {
      now += millisPerToken * MILLI;
      for (Work work : works) {
        ledger.made(work, 1, 4, now);
      }
    }
    for (Work work : works) {
      ledger.ended(work, now);
    }
  }

  private void answer(String node, int tokens, int millisPerToken) {
    Work work = begin(node);
    ledger.started(work, 250, 0, now);
    for (int i = 0; i < tokens; i++) {
      now += millisPerToken * MILLI;
      ledger.made(work, 1, 4, now);
    }
    ledger.ended(work, now);
  }

  private void join(String node, String kind) {
    ledger.put(new Host(node, node, kind, 4, true, false, OptionalDouble.empty()));
  }

  private Work begin(String node) {
    return begin(node, PROMPT);
  }

  private Work begin(String node, int characters) {
    return ledger.began(new Prediction(at(node), ledger.ask(characters, 100), 0), characters, now);
  }

  private Decision decide() {
    return ledger.choose(ledger.ask(PROMPT, 100), Map.of(), candidate -> true, now);
  }

  private Candidate at(String node) {
    return ledger.candidate(node).orElseThrow();
  }
}
