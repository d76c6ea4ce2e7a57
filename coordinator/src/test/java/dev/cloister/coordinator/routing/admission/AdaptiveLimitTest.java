package dev.cloister.coordinator.routing.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.PriorityQueue;
import java.util.Random;
import org.junit.jupiter.api.Test;

class AdaptiveLimitTest {
  private static final double PROMPT_SECONDS = 0.2;
  private static final double ANSWER_SECONDS = 5;

  /** A node that answers so many at once, and is sent as many as the limit allows, always. */
  private static void overload(AdaptiveLimit limit, int slots, Random random, int requests) {
    PriorityQueue<Double> ends = new PriorityQueue<>();
    PriorityQueue<Double> slotsFree = new PriorityQueue<>();
    for (int i = 0; i < slots; i++) {
      slotsFree.add(0.0);
    }
    double time = 0;
    for (int i = 0; i < requests; i++) {
      while (ends.size() >= limit.limit()) {
        time = ends.remove();
      }
      double start = Math.max(time, slotsFree.remove());
      double prompt = PROMPT_SECONDS * (0.5 + random.nextDouble());
      double end = start + prompt + ANSWER_SECONDS * (0.5 + random.nextDouble());
      slotsFree.add(end);
      ends.add(end);
      limit.add((start + prompt - time) / PROMPT_SECONDS, ends.size());
    }
  }

  @Test
  void anOverloadedNodeIsGivenAboutAsManyAsItAnswersAtOnce() {
    for (long seed = 0; seed < 50; seed++) {
      Random random = new Random(seed);
      int slots = 1 + random.nextInt(16);
      AdaptiveLimit limit = new AdaptiveLimit(1, 1 + random.nextInt(32), 64);
      overload(limit, slots, random, 3_000);
      assertThat(limit.limit())
          .as("seed %d, %d slots", seed, slots)
          .isBetween(slots - slots / 4, slots + 2);
    }
  }

  @Test
  void itFollowsANodeThatCanDoLessOrMoreThanBefore() {
    Random random = new Random(1);
    AdaptiveLimit limit = new AdaptiveLimit(1, 8, 64);
    overload(limit, 8, random, 500);
    overload(limit, 2, random, 500);
    assertThat(limit.limit()).isBetween(2, 4);
    overload(limit, 12, random, 500);
    assertThat(limit.limit()).isBetween(9, 14);
  }

  @Test
  void aNodeThatIsSlowerForGoodIsNotHeldDownForEver() {
    AdaptiveLimit limit = new AdaptiveLimit(1, 8, 16);
    for (int i = 0; i < 50; i++) {
      limit.add(1, 16);
    }
    for (int i = 0; i < 100; i++) {
      limit.add(5, 16);
    }
    assertThat(limit.limit()).isEqualTo(1);
    for (int i = 0; i < 400; i++) {
      limit.add(5, 16);
    }
    assertThat(limit.limit()).isEqualTo(16);
  }

  @Test
  void oneOddTimeChangesLittle() {
    AdaptiveLimit limit = new AdaptiveLimit(1, 10, 10);
    for (int i = 0; i < 50; i++) {
      limit.add(1, 10);
    }
    limit.add(1_000, 10);
    assertThat(limit.limit()).isEqualTo(9);
    limit.add(0.001, 10);
    for (int i = 0; i < 10; i++) {
      limit.add(1, 10);
    }
    assertThat(limit.limit()).isEqualTo(10);
  }

  @Test
  void itNeverFallsBelowItsLeast() {
    AdaptiveLimit limit = new AdaptiveLimit(4, 20, 20);
    limit.add(1, 20);
    for (int i = 0; i < 50; i++) {
      limit.add(100, 20);
    }
    assertThat(limit.limit()).isEqualTo(4);
  }

  @Test
  void aNodeWithLittleToDoKeepsItsLimit() {
    AdaptiveLimit limit = new AdaptiveLimit(1, 8, 64);
    for (int i = 0; i < 100; i++) {
      limit.add(1, 3);
    }
    assertThat(limit.limit()).isEqualTo(8);
  }

  @Test
  void nonsenseIsRefused() {
    AdaptiveLimit limit = new AdaptiveLimit(1, 1, 1);
    for (double time : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> limit.add(time, 1)).isInstanceOf(IllegalArgumentException.class);
    }
    assertThatThrownBy(() -> new AdaptiveLimit(1, 2, 1))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new AdaptiveLimit(3, 2, 4))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
