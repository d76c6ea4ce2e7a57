package dev.cloister.coordinator.links;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cloister.coordinator.links.Finding.Reached;
import dev.cloister.coordinator.links.Finding.Unreachable;
import dev.cloister.coordinator.placement.Network.Link;
import dev.cloister.coordinator.placement.Network.Way;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LinksTest {
  private static final Way WAY = new Way("a", "b");
  private final Links links = new Links();

  private boolean note(Finding finding) {
    return links.note(WAY, finding, Instant.EPOCH);
  }

  @Test
  void whatDiffersLittleChangesNothing() {
    assertThat(note(new Reached(0.002, 1e8))).isTrue();
    for (double factor : new double[] {1.1, 0.9, 1.4, 0.7}) {
      assertThat(note(new Reached(0.002 * factor, 1e8 / factor))).isFalse();
    }
    assertThat(links.measured()).isEqualTo(Map.of(WAY, Link.measured(0.002, 1e8)));
    assertThat(note(new Reached(0.0031, 1e8))).isTrue();
    assertThat(links.measured()).isEqualTo(Map.of(WAY, Link.measured(0.0031, 1e8)));
    assertThat(note(new Reached(0.0031, 6e7))).isTrue();
  }

  @Test
  void roundTripsThatAreVeryShortAreAllTheSame() {
    note(new Reached(0.0001, 1e9));
    assertThat(note(new Reached(0.0003, 1e9))).isFalse();
  }

  @Test
  void aWayThatIsCutIsNewsOnceAndSoIsItsReturn() {
    note(new Reached(0.002, 1e8));
    assertThat(note(new Unreachable("refused"))).isTrue();
    assertThat(note(new Unreachable("refused"))).isFalse();
    assertThat(links.isCut(WAY)).isTrue();
    assertThat(links.cut()).containsExactly(WAY);
    assertThat(links.isCut(new Way("b", "a"))).isFalse();
    assertThat(links.measured()).isEmpty();
    assertThat(note(new Reached(0.002, 1e8))).isTrue();
    assertThat(links.cut()).isEmpty();
  }

  @Test
  void withoutARateAWayIsReachedButNotMeasured() {
    assertThat(note(new Reached(0.002, 0))).isFalse();
    assertThat(links.measured()).isEmpty();
    assertThat(links.measuredAt(WAY, false)).hasValue(Instant.EPOCH);
    assertThat(links.measuredAt(WAY, true)).isEmpty();
    note(new Reached(0.002, 1e8));
    assertThat(note(new Reached(0.002, 0))).isFalse();
    assertThat(links.measured()).hasSize(1);
    links.forget("b");
    assertThat(links.measured()).isEmpty();
  }

  @Test
  void nonsenseIsRefused() {
    assertThatThrownBy(() -> new Reached(Double.NaN, 1)).hasMessageContaining("expected");
    assertThatThrownBy(() -> new Reached(-1, 1)).hasMessageContaining("expected");
    assertThatThrownBy(() -> new Reached(1, Double.POSITIVE_INFINITY))
        .hasMessageContaining("expected");
  }
}
