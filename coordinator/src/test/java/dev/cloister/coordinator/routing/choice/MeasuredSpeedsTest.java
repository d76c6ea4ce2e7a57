package dev.cloister.coordinator.routing.choice;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

/** What a ledger learns of how fast nodes are. */
class MeasuredSpeedsTest extends TestLedger {
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
}
