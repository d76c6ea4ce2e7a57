package dev.cloister.coordinator.routing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.testkit.SettableClock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RoundTripsTest {
  private final SettableClock clock = new SettableClock(Instant.EPOCH);
  private final Map<String, Duration> measured = new HashMap<>();
  private final RoundTrips roundTrips = new RoundTrips(clock, measured::put);

  @Test
  void theAverageFollowsTheAnswers() {
    roundTrip(100);
    assertThat(measured).isEqualTo(Map.of("a", Duration.ofMillis(100)));
    roundTrip(200);
    assertThat(measured).isEqualTo(Map.of("a", Duration.ofMillis(130)));
  }

  @Test
  void answersThatWereNotAskedForAreIgnored() {
    roundTrips.received("a", 7);
    long number = roundTrips.ask("a").orElseThrow();
    roundTrips.received("a", number + 1);
    roundTrips.received("b", number);
    assertThat(measured).isEmpty();
    clock.advance(Duration.ofMillis(5));
    roundTrips.received("a", number);
    clock.advance(Duration.ofMillis(500));
    roundTrips.received("a", number);
    assertThat(measured).isEqualTo(Map.of("a", Duration.ofMillis(5)));
  }

  @Test
  void aClockThatWentBackMeasuresNothing() {
    long number = roundTrips.ask("a").orElseThrow();
    clock.advance(Duration.ofMillis(-5));
    roundTrips.received("a", number);
    assertThat(measured).isEmpty();
  }

  @Test
  void aNodeIsAskedOftenAtFirstAndSeldomLater() {
    for (int i = 0; i < 10; i++) {
      roundTrip(1);
    }
    assertThat(roundTrips.ask("a")).isEmpty();
    clock.advance(Duration.ofSeconds(4));
    assertThat(roundTrips.ask("a")).isEmpty();
    clock.advance(Duration.ofMillis(900));
    assertThat(roundTrips.ask("a")).isPresent();
    assertThat(roundTrips.ask("a")).isEmpty();
    assertThat(roundTrips.ask("b")).isPresent();
  }

  @Test
  void aNodeWhoseAnswerIsLostIsAskedAgain() {
    for (int i = 0; i < 10; i++) {
      roundTrip(1);
    }
    clock.advance(Duration.ofSeconds(5));
    long lost = roundTrips.ask("a").orElseThrow();
    clock.advance(Duration.ofSeconds(5));
    roundTrip(11);
    roundTrips.received("a", lost);
    assertThat(measured).isEqualTo(Map.of("a", Duration.ofMillis(4)));
  }

  @Test
  void aClockThatWentBackKeepsNobodyFromBeingAsked() {
    for (int i = 0; i < 10; i++) {
      roundTrip(1);
    }
    clock.advance(Duration.ofHours(-1));
    assertThat(roundTrips.ask("a")).isPresent();
  }

  private void roundTrip(int millis) {
    long number = roundTrips.ask("a").orElseThrow();
    clock.advance(Duration.ofMillis(millis));
    roundTrips.received("a", number);
  }
}
