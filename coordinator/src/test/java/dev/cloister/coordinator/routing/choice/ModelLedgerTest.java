package dev.cloister.coordinator.routing.choice;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class ModelLedgerTest extends TestLedger {
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
  void aNodeThatClaimsTwoBillionSlotsIsNotFull() {
    ledger.put(
        new Host("vast", "vast", "desk", 2_000_000_000, true, false, OptionalDouble.empty()));
    begin("vast");
    assertThat(at("vast").full()).isFalse();
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
}
