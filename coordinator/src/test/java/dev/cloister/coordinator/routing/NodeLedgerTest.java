package dev.cloister.coordinator.routing;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class NodeLedgerTest {
  private static final NodeLedger.Key KEY = new NodeLedger.Key("node", "model");

  private final NodeLedger ledger = new NodeLedger();

  @Test
  void workIsCountedPerNodeAndModel() {
    ledger.began(KEY, 100);
    ledger.began(KEY, 20);
    ledger.began(new NodeLedger.Key("node", "other"), 7);
    ledger.ended(KEY, 100);
    assertThat(ledger.of(KEY).active()).isEqualTo(1);
    assertThat(ledger.of(KEY).pendingTokens()).isEqualTo(20);
    assertThat(ledger.of(KEY).served()).isEqualTo(2);
    assertThat(ledger.of(new NodeLedger.Key("other", "model"))).isEqualTo(NodeLedger.Entry.EMPTY);
  }

  @Test
  void theRateIsAMovingAverage() {
    ledger.began(KEY, 1);
    ledger.measured(KEY, 100, Duration.ofSeconds(10));
    assertThat(rate()).isEqualTo(10);
    ledger.measured(KEY, 200, Duration.ofSeconds(10));
    assertThat(rate()).isCloseTo(13, Offset.offset(1e-9));
  }

  @Test
  void shortAnswersAndAClockThatWentBackMeasureNothing() {
    ledger.began(KEY, 1);
    ledger.measured(KEY, 7, Duration.ofSeconds(1));
    ledger.measured(KEY, 100, Duration.ZERO);
    ledger.measured(KEY, 100, Duration.ofSeconds(-1));
    assertThat(ledger.of(KEY).tokensPerSecond()).isEmpty();
  }

  private double rate() {
    return ledger.of(KEY).tokensPerSecond().orElseThrow();
  }
}
