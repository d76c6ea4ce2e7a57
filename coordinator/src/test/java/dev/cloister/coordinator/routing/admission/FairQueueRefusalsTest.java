package dev.cloister.coordinator.routing.admission;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is refused when it comes, since it would wait in vain: by how fast the queue empties. */
class FairQueueRefusalsTest {
  private static final long MILLISECOND = 1_000_000L;
  private static final long NEVER = Long.MAX_VALUE;

  private final FairQueue<String> queue = new FairQueue<>(1_000, 1_000);
  private final List<Ticket<String>> waiting = new ArrayList<>();
  private long now = 1_000_000 * MILLISECOND;

  @Test
  void whatCannotBeServedInTimeIsNotTakenIn() {
    haveWaiting(40);
    for (int second = 1; second <= 10; second++) {
      pass(1_000);
      serve(1);
      assertThat(offer("a", 3)).isInstanceOf(Offer.Waiting.class);
    }
    serveEvery(1_000, 2);
    assertThat(offer("a", 20)).isInstanceOf(Offer.TooLate.class);
    assertThat(offer("a", 60)).isInstanceOf(Offer.Waiting.class);
    assertThat(offer("b", 1)).isInstanceOf(Offer.Waiting.class);
  }

  @Test
  void nodesThatWorkOffWhatTheyHadAreNotTakenForSlowOnes() {
    haveWaiting(60);
    pass(15_000);
    serveEvery(500, 2);
    assertThat(offer("a", 40)).isInstanceOf(Offer.Waiting.class);
    serveEvery(500, 20);
    // What waits is served in 19 seconds.
    assertThat(offer("a", 25)).isInstanceOf(Offer.Waiting.class);
    assertThat(offer("a", 12)).isInstanceOf(Offer.TooLate.class);
  }

  @Test
  void whatIsCancelledWhileItWaitsNeedNotBeServed() {
    haveWaiting(90);
    for (int second = 0; second < 15; second++) {
      pass(1_000);
      serve(1);
      assertThat(queue.cancel(waiting.remove(waiting.size() / 2), now)).isTrue();
    }
    // Sixty are left, of which every other one will be cancelled.
    assertThat(offer("a", 40)).isInstanceOf(Offer.Waiting.class);
    assertThat(offer("a", 20)).isInstanceOf(Offer.TooLate.class);
  }

  @Test
  void whatPassesItsDeadlineWasNotServedEither() {
    haveWaiting(60);
    for (int second = 0; second < 15; second++) {
      offer("a", 1);
      pass(1_000);
      serve(1);
    }
    // 45 seconds.
    assertThat(offer("a", 35)).isInstanceOf(Offer.TooLate.class);
  }

  @Test
  void whatPassesThroughWhileNothingHasToWaitTellsNothing() {
    for (int i = 0; i < 1_000; i++) {
      assertThat(offer("a", 30)).isInstanceOf(Offer.Waiting.class);
      now += 1_000;
      serve(1);
      pass(10);
    }
    haveWaiting(60);
    serveEvery(1_000, 15);
    assertThat(offer("a", 35)).isInstanceOf(Offer.TooLate.class);
  }

  @Test
  void howFastItWasBeforeACalmIsForgotten() {
    haveWaiting(10);
    serveEvery(5_000, 6);
    serve(4);
    pass(60_000);
    haveWaiting(400);
    serveEvery(100, 115);
    // 29 seconds.
    assertThat(offer("a", 35)).isInstanceOf(Offer.Waiting.class);
    assertThat(offer("a", 20)).isInstanceOf(Offer.TooLate.class);
  }

  /** Has so many wait that no node takes. */
  private void haveWaiting(int count) {
    for (int i = 0; i < count; i++) {
      if (queue.offer(new Claim<>("a", 1, 100, NEVER, "a"), now)
          instanceof Offer.Waiting<String>(Ticket<String> ticket)) {
        waiting.add(ticket);
      }
    }
    assertThat(queue.poll((item, othersWait) -> false, now)).isEmpty();
  }

  private void serveEvery(int milliseconds, int count) {
    for (int i = 0; i < count; i++) {
      pass(milliseconds);
      serve(1);
    }
  }

  private void serve(int count) {
    for (int i = 0; i < count; i++) {
      waiting.remove(queue.poll((item, othersWait) -> true, now).orElseThrow());
    }
  }

  private void pass(int milliseconds) {
    now += milliseconds * MILLISECOND;
    queue.expire(now);
  }

  private Offer<String> offer(String caller, int withinSeconds) {
    return queue.offer(
        new Claim<>(caller, 1, 100, now + withinSeconds * 1_000L * MILLISECOND, caller), now);
  }
}
