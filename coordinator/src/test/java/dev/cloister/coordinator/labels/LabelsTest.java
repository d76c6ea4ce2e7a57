package dev.cloister.coordinator.labels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LabelsTest {
  private static final Labels RACK = Labels.of(Map.of("site", "hq", "class", "server"));

  @Test
  void requiredLabelsMustAllBeThereWithTheirValues() {
    assertThat(RACK.have(Labels.NONE)).isTrue();
    assertThat(RACK.have(Labels.of(Map.of("class", "server")))).isTrue();
    assertThat(RACK.have(Labels.of(Map.of("class", "laptop")))).isFalse();
    assertThat(RACK.have(Labels.of(Map.of("class", "server", "trust", "high")))).isFalse();
  }

  @Test
  void theyAreReadAsTheyAreWritten() {
    assertThat(RACK).hasToString("class=server,site=hq");
    assertThat(Labels.parse(RACK.toString())).isEqualTo(RACK);
    assertThat(Labels.parse("")).isEqualTo(Labels.NONE);
  }

  @Test
  void someAreRemovedAndOthersSet() {
    assertThat(RACK.with(Map.of("class", "desk"), List.of("site", "nothing")))
        .isEqualTo(Labels.parse("class=desk"));
  }

  @Test
  void whatCouldBeReadAsSomethingElseIsRefused() {
    for (String bad :
        List.of("", " a", "a b", "a,b", "a=b", "-a", "a".repeat(64), "\u00e4", "a\n")) {
      assertThatThrownBy(() -> Labels.of(Map.of(bad, "x"))).hasMessageContaining("malformed");
      assertThatThrownBy(() -> Labels.of(Map.of("x", bad))).hasMessageContaining("malformed");
    }
    Map<String, String> many = new HashMap<>();
    Collections.nCopies(33, "v").forEach(value -> many.put("n" + many.size(), value));
    assertThatThrownBy(() -> Labels.of(many)).hasMessageContaining("at most 32");
    assertThatThrownBy(() -> Labels.parse("site")).hasMessageContaining("no label");
  }
}
