package dev.cloister.coordinator.routing.admission;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** What a queue says of when to come again, and what then happens. */
class RetryAfterTest {
  private static final long SECOND = 1_000_000_000L;
  private static final long NEVER = Long.MAX_VALUE;

  private final FairQueue<String> queue = new FairQueue<>(30, 20);
  private long nanos;

  /** One slot that serves a hundred tokens each second, always busy. */
  private void serveFor(int seconds) {
    for (int i = 0; i < seconds; i++) {
      nanos += SECOND;
      queue.poll((item, othersWait) -> true, nanos).ifPresent(ticket -> queue.settle(ticket, 100));
    }
  }

  private Offer<String> offer(String caller) {
    return queue.offer(new Claim<>(caller, 1, 100, NEVER, caller), nanos);
  }

  private void fill(String caller, int count) {
    for (int i = 0; i < count; i++) {
      assertThat(offer(caller)).isInstanceOf(Offer.Waiting.class);
    }
    assertThat(queue.poll((item, othersWait) -> false, nanos)).isEmpty();
  }

  private void refill(String caller, int seconds) {
    for (int i = 0; i < seconds; i++) {
      serveFor(1);
      offer(caller);
    }
  }

  @Test
  void aFullQueueIsEmptyWhenItSays() {
    fill("a", 15);
    fill("b", 15);
    for (int i = 0; i < 20; i++) {
      refill("a", 1);
      refill("b", 1);
    }
    assertThat(offer("c"))
        .isInstanceOfSatisfying(
            Offer.QueueFull.class,
            full -> assertThat(full.retryAfter()).isEqualTo(Duration.ofSeconds(queue.size())));
    serveFor(queue.size() - 1);
    assertThat(queue.size()).isEqualTo(1);
    serveFor(1);
    assertThat(queue.size()).isZero();
  }

  @Test
  void aCallerIsToldWhenWhatItHasWaitingIsServedAmongTheOthers() {
    fill("a", 20);
    refill("a", 40);
    fill("b", 5);
    Duration told =
        switch (offer("a")) {
          case Offer.CallerFull<String>(Duration retryAfter) -> retryAfter;
          case Offer.Waiting<String> _, Offer.QueueFull<String> _, Offer.TooLate<String> _ ->
              throw new AssertionError();
        };
    assertThat(told).isEqualTo(Duration.ofSeconds(25));
    serveFor((int) told.toSeconds());
    assertThat(queue.size()).isZero();
  }

  @Test
  void theLatestRateCounts() {
    fill("a", 20);
    refill("a", 200);
    for (int i = 0; i < 60; i++) {
      nanos += 9 * SECOND;
      refill("a", 1);
    }
    assertThat(queue.size()).isEqualTo(20);
    assertThat(queue.retryAfter(nanos)).isBetween(Duration.ofSeconds(160), Duration.ofSeconds(240));
  }

  @Test
  void timeInWhichNothingWaitsSaysNothingOfTheRate() {
    fill("a", 20);
    serveFor(20);
    nanos += 3_600 * SECOND;
    fill("a", 20);
    assertThat(queue.retryAfter(nanos)).isEqualTo(Duration.ofSeconds(20));
  }

  @Test
  void requestsThatNeedNotWaitSayNothingOfTheRateEither() {
    for (int i = 0; i < 1_000; i++) {
      offer("a");
      queue.settle(queue.poll((item, othersWait) -> true, nanos).orElseThrow(), 100);
    }
    fill("a", 20);
    serveFor(10);
    assertThat(queue.retryAfter(nanos)).isEqualTo(Duration.ofSeconds(10));
  }

  @Test
  void whereNothingIsServedTheQueueEmptiesByItsDeadlines() {
    for (int i = 0; i < 20; i++) {
      queue.offer(new Claim<>("a", 1, 100, 30 * SECOND, "a"), nanos);
    }
    nanos = 4 * SECOND;
    assertThat(queue.retryAfter(nanos)).isEqualTo(Duration.ofSeconds(26));
    assertThat(queue.offer(new Claim<>("a", 1, 100, 30 * SECOND, "a"), nanos))
        .isEqualTo(new Offer.CallerFull<>(Duration.ofSeconds(26)));
  }

  @Test
  void anEmptyQueueIsWorthASecond() {
    assertThat(queue.retryAfter(nanos)).isEqualTo(Duration.ofSeconds(1));
  }
}
