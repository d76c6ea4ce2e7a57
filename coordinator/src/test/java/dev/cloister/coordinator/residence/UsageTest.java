package dev.cloister.coordinator.residence;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.Test;

class UsageTest {
  private static final Place PLACE = new Place("desk", "m");
  private static final Instant NOW = Instant.parse("2026-01-01T12:00:00Z");

  private final Usage usage = new Usage();

  @Test
  void requestsAreCountedAndTheLatestIsRemembered() {
    assertThat(usage.last(PLACE)).isEmpty();
    assertThat(usage.begin(PLACE, NOW)).isTrue();
    assertThat(usage.begin(PLACE, NOW)).isTrue();
    usage.end(PLACE, NOW.plusSeconds(3));
    assertThat(usage.active(PLACE)).isEqualTo(1);
    assertThat(usage.last(PLACE)).hasValue(NOW.plusSeconds(3));
    assertThat(usage.active(new Place("rack", "m"))).isZero();
  }

  @Test
  void nothingBeginsWhereAModelIsToGoAndItGoesOnlyWhenNothingIsUnderWay() {
    assertThat(usage.begin(PLACE, NOW)).isTrue();
    assertThat(usage.leave(PLACE)).isFalse();
    assertThat(usage.begin(PLACE, NOW)).isFalse();
    usage.end(PLACE, NOW);
    assertThat(usage.leave(PLACE)).isTrue();
    usage.stay(PLACE);
    assertThat(usage.begin(PLACE, NOW)).isTrue();
  }

  @Test
  void whatIsStillUnderWayWhereAModelWentIsCountedToItsEnd() {
    usage.begin(PLACE, NOW);
    usage.forget(PLACE);
    assertThat(usage.last(PLACE)).isEmpty();
    usage.begin(PLACE, NOW);
    usage.end(PLACE, NOW);
    assertThat(usage.active(PLACE)).isEqualTo(1);
    usage.end(PLACE, NOW);
    usage.end(PLACE, NOW);
    assertThat(usage.active(PLACE)).isZero();
  }
}
