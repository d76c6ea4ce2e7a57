package dev.cloister.coordinator.residence;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.coordinator.placement.Offer;
import dev.cloister.coordinator.placement.StageMemory;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class EvictionTest {
  private static final Instant NOW = Instant.parse("2026-01-01T12:00:00Z");
  private static final Duration LONG_AGO = Duration.ofHours(1);

  private static Offer node(int units) {
    return new Offer("id", "desk", units, 30e9, 0, 0);
  }

  /** Takes exactly so many units. */
  private static StageMemory units(int count) {
    return new StageMemory(0, 0, 0, 0, 0, count, true);
  }

  private static Resident idle(String model, int units, Duration unused) {
    return new Resident(model, units(units), false, 0, NOW.minus(unused), Instant.EPOCH, 4);
  }

  private static Resident busy(String model, int units, Instant protectedUntil) {
    return new Resident(model, units(units), false, 2, NOW, protectedUntil, 4);
  }

  private static Resident pinned(String model, int units) {
    return new Resident(model, units(units), true, 0, Instant.EPOCH, Instant.EPOCH, 4);
  }

  private static Optional<Eviction> asked(int node, int need, Resident... residents) {
    return Eviction.of(node(node), units(need), List.of(residents), false, NOW);
  }

  private static Optional<Eviction> copy(int node, int need, Resident... residents) {
    return Eviction.of(node(node), units(need), List.of(residents), true, NOW);
  }

  @Test
  void nothingLeavesWhereThereIsRoom() {
    assertThat(asked(10, 4, idle("a", 6, LONG_AGO))).hasValue(Eviction.NONE);
    assertThat(asked(10, 11)).isEmpty();
  }

  @Test
  void whatWasNotUsedForLongestLeavesFirst() {
    Eviction eviction =
        asked(
                10,
                4,
                idle("new", 5, Duration.ofMinutes(10)),
                idle("old", 5, LONG_AGO),
                idle("small", 0, Duration.ofHours(9)))
            .orElseThrow();
    assertThat(eviction.going()).containsExactly("old");
    assertThat(eviction.seconds()).isZero();
  }

  @Test
  void nothingLeavesInVain() {
    assertThat(asked(10, 6, idle("small", 2, Duration.ofDays(1)), idle("large", 8, LONG_AGO)))
        .map(Eviction::going)
        .hasValue(List.of("large"));
    assertThat(asked(10, 9, idle("small", 2, Duration.ofDays(1)), idle("large", 8, LONG_AGO)))
        .map(Eviction::going)
        .hasValue(List.of("small", "large"));
  }

  @Test
  void pinnedOnesNeverLeave() {
    assertThat(asked(10, 6, pinned("p", 5), idle("a", 5, LONG_AGO))).isEmpty();
    assertThat(asked(10, 5, pinned("p", 5), idle("a", 5, LONG_AGO)).orElseThrow().going())
        .containsExactly("a");
  }

  @Test
  void whatAnswersLeavesAfterWhatIsIdleAndCostsThatItHasToBeDone() {
    assertThat(
            asked(10, 5, busy("busy", 5, Instant.EPOCH), idle("idle", 5, Duration.ofSeconds(1)))
                .orElseThrow()
                .going())
        .containsExactly("idle");
    Eviction eviction = asked(10, 8, busy("busy", 5, NOW.plusSeconds(7))).orElseThrow();
    assertThat(eviction.going()).containsExactly("busy");
    assertThat(eviction.delaySeconds()).isEqualTo(7);
    assertThat(eviction.costSeconds()).isEqualTo(15 + 4);
  }

  @Test
  void whatWasUsedAMomentAgoCostsThatItIsLoadedAgain() {
    Duration recent = Duration.ofMinutes(4);
    assertThat(asked(10, 8, idle("a", 5, recent)).orElseThrow().costSeconds()).isEqualTo(4);
    assertThat(asked(10, 8, idle("a", 5, LONG_AGO)).orElseThrow().costSeconds()).isZero();
  }

  @Test
  void forACopyNothingLeavesThatIsInUse() {
    assertThat(copy(10, 8, idle("a", 5, Duration.ofMinutes(4)))).isEmpty();
    assertThat(copy(10, 8, busy("a", 5, Instant.EPOCH))).isEmpty();
    assertThat(copy(10, 8, idle("a", 5, LONG_AGO)).orElseThrow().going()).containsExactly("a");
  }
}
