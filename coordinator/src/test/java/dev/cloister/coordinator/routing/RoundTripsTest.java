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
    long number = roundTrips.sent("a");
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
    long number = roundTrips.sent("a");
    clock.advance(Duration.ofMillis(-5));
    roundTrips.received("a", number);
    assertThat(measured).isEmpty();
  }

  private void roundTrip(int millis) {
    long number = roundTrips.sent("a");
    clock.advance(Duration.ofMillis(millis));
    roundTrips.received("a", number);
  }
}
