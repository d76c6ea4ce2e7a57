package dev.cloister.coordinator.routing.prefix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PrefixIndexTest {
  private final PrefixIndex index = new PrefixIndex();

  @Test
  void eachNodeCountsWithTheLongestBeginningThatItHolds() {
    tell("a", true, List.of(1L, 2L, 3L), List.of(64, 128, 192), List.of());
    tell("b", true, List.of(1L), List.of(60), List.of());
    assertThat(index.find(List.of(1L, 2L, 3L, 4L))).isEqualTo(Map.of("a", 192, "b", 60));
    assertThat(index.find(List.of(1L))).isEqualTo(Map.of("a", 64, "b", 60));
    assertThat(index.find(List.of(7L))).isEmpty();
    assertThat(index.find(List.of())).isEmpty();
  }

  @Test
  void newsAddAndTakeAway() {
    tell("a", true, List.of(1L, 2L), List.of(64, 128), List.of());
    tell("a", false, List.of(3L), List.of(192), List.of(1L, 2L, 99L));
    assertThat(index.find(List.of(1L, 2L))).isEmpty();
    assertThat(index.find(List.of(1L, 2L, 3L))).isEqualTo(Map.of("a", 192));
  }

  @Test
  void theWholeReplacesWhatWasToldBefore() {
    tell("a", true, List.of(1L, 2L), List.of(64, 128), List.of());
    tell("a", true, List.of(1L), List.of(64), List.of());
    assertThat(index.find(List.of(1L, 2L))).isEqualTo(Map.of("a", 64));
  }

  @Test
  void aNodeThatGoesHoldsNothingAndOthersStay() {
    tell("a", true, List.of(1L), List.of(64), List.of());
    tell("b", true, List.of(1L), List.of(64), List.of());
    index.told("a", "other model", true, List.of(5L), List.of(9), List.of());
    index.forget("a", "m");
    assertThat(index.find(List.of(1L))).isEqualTo(Map.of("b", 64));
    assertThat(index.find(List.of(5L))).isEqualTo(Map.of("a", 9));
    tell("a", true, List.of(), List.of(), List.of());
    assertThat(index.find(List.of(1L))).isEqualTo(Map.of("b", 64));
  }

  @Test
  void absurdCountsOfTokensAreCut() {
    tell("a", true, List.of(1L, 2L), List.of(-5, Integer.MAX_VALUE), List.of());
    assertThat(index.find(List.of(1L))).isEqualTo(Map.of("a", 0));
    assertThat(index.find(List.of(2L))).isEqualTo(Map.of("a", 1 << 24));
    assertThatThrownBy(() -> tell("a", false, List.of(1L), List.of(), List.of()))
        .hasMessageContaining("1 prefixes with 0 counts of tokens");
  }

  @Test
  void ofVeryManyNodesSomeAreRemembered() {
    for (int i = 0; i < 1_000; i++) {
      tell("node" + i, true, List.of(1L), List.of(64), List.of());
    }
    assertThat(index.find(List.of(1L))).hasSize(64).containsKey("node999");
  }

  private void tell(
      String node, boolean whole, List<Long> held, List<Integer> tokens, List<Long> dropped) {
    index.told(node, "m", whole, held, tokens, dropped);
  }
}
