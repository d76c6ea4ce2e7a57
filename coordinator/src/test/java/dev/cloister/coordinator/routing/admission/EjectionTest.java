package dev.cloister.coordinator.routing.admission;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class EjectionTest {
  private static final long SECOND = 1_000_000_000L;
  private static final int ALL = Integer.MAX_VALUE;

  private final Ejection ejection = new Ejection(Duration.ofSeconds(2), Duration.ofSeconds(60));
  private long nanos = -5 * SECOND;

  @Test
  void fiveFailuresInARowEjectANode() {
    fail(4);
    assertThat(most()).isEqualTo(ALL);
    fail(1);
    assertThat(most()).isZero();
  }

  @Test
  void failuresWithSuccessesInBetweenDoNot() {
    for (int i = 0; i < 100; i++) {
      fail(4);
      ejection.succeeded(nanos);
    }
    assertThat(most()).isEqualTo(ALL);
  }

  @Test
  void itIsLetBackWithOneRequestFirstAndThenWithMore() {
    fail(5);
    nanos += 2 * SECOND - 1;
    assertThat(most()).isZero();
    nanos++;
    for (int expected : new int[] {1, 2, 4, 8, 16, ALL, ALL}) {
      assertThat(most()).isEqualTo(expected);
      ejection.succeeded(nanos);
    }
  }

  @Test
  void pausesGrowWithEachFailureOnTheWayBack() {
    fail(5);
    for (int seconds : new int[] {2, 4, 8, 16, 32, 60, 60}) {
      nanos += seconds * SECOND - 1;
      assertThat(most()).isZero();
      nanos++;
      assertThat(most()).isEqualTo(1);
      fail(1);
    }
  }

  @Test
  void whatWasSentBeforeTheEjectionDoesNotProlongOrEndIt() {
    fail(5);
    nanos += SECOND;
    fail(20);
    ejection.succeeded(nanos);
    assertThat(most()).isZero();
    nanos += SECOND;
    assertThat(most()).isEqualTo(1);
  }

  @Test
  void aPauseThatIsEndedEarlyIsFollowedByOneRequestAsAnyOther() {
    fail(5);
    ejection.letBack(nanos);
    assertThat(most()).isEqualTo(1);
    fail(1);
    assertThat(ejection.untilNanos()).isEqualTo(nanos + 4 * SECOND);
    nanos += 5 * SECOND;
    ejection.letBack(nanos);
    assertThat(ejection.untilNanos()).isEqualTo(nanos - SECOND);
  }

  @Test
  void pausesAreShortAgainAfterTenGoodMinutes() {
    fail(5);
    nanos += 2 * SECOND;
    fail(1);
    nanos += 4 * SECOND;
    for (int i = 0; i < 5; i++) {
      ejection.succeeded(nanos);
    }
    nanos += 600 * SECOND;
    fail(5);
    assertThat(most()).isZero();
    nanos += 2 * SECOND;
    assertThat(most()).isEqualTo(1);
  }

  private void fail(int times) {
    for (int i = 0; i < times; i++) {
      ejection.failed(nanos);
    }
  }

  private int most() {
    return ejection.most(nanos);
  }
}
