package dev.cloister.agent.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class BackoffTest {
  private static final Duration FIRST = Duration.ofMillis(100);
  private static final Duration LONGEST = Duration.ofSeconds(4);

  private final Backoff backoff = new Backoff(FIRST, LONGEST, new Random(42));

  @Test
  void pausesDoubleUpToTheLongestAndAreHalfToAllOfIt() {
    long limit = 100;
    for (int i = 0; i < 20; i++) {
      assertThat(backoff.next().toMillis()).isBetween(limit / 2, limit);
      limit = Math.min(2 * limit, 4000);
    }
  }

  @Test
  void aThousandAgentsDoNotComeBackAtOnce() {
    for (int i = 0; i < 10; i++) {
      backoff.next();
    }
    assertThat(Stream.generate(backoff::next).limit(1000).distinct().count()).isGreaterThan(500);
  }

  @Test
  void successStartsItAnew() {
    for (int i = 0; i < 10; i++) {
      backoff.next();
    }
    backoff.reset();
    assertThat(backoff.next()).isBetween(FIRST.dividedBy(2), FIRST);
  }
}
