package dev.cloister.coordinator.routing.admission;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RetryBudgetTest {
  private static final long SECOND = 1_000_000_000L;

  private final RetryBudget budget = new RetryBudget(0);

  @Test
  void aHundredAreSavedAndNotMore() {
    for (int i = 0; i < 10_000; i++) {
      budget.requested();
    }
    assertThat(retries(3_600 * SECOND)).isEqualTo(100);
  }

  @Test
  void fiveRequestsEarnARetry() {
    retries(0);
    for (int i = 0; i < 51; i++) {
      budget.requested();
    }
    assertThat(retries(0)).isEqualTo(10);
  }

  @Test
  void aSecondEarnsTen() {
    retries(0);
    assertThat(retries(SECOND + SECOND / 20)).isEqualTo(10);
    assertThat(retries(SECOND / 2)).isZero();
  }

  private int retries(long nanos) {
    int retries = 0;
    while (budget.retry(nanos)) {
      retries++;
    }
    return retries;
  }
}
